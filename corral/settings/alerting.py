"""Whom alerts are told to, and which alerts each of them gets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from corral.settings.problems import Expected
from corral.settings.strict import Name, Strict, Text
from corral.settings.web_addresses import HookAddress

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")

MAIL_PATTERN = r"^[^\s@,;<>\"]+@[A-Za-z0-9.-]+$"
SERVER_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?:[0-9]{1,5}$"

MailAddress = Annotated[
    str,
    Field(pattern=MAIL_PATTERN, max_length=254),
    Expected("one address, such as on-call@example.org"),
]


class SlackReceiver(Strict):
    """A channel of Slack."""

    kind: Literal["slack"]
    """An incoming webhook of Slack."""
    channel: Annotated[
        str,
        Field(pattern=r"^#[a-z0-9_-]{1,79}$"),
        Expected('a channel, in quotes: "#agents-alerts"'),
    ]
    """The channel."""
    secret: Annotated[
        Name,
        Field(description="The stack secret that is the webhook's address."),
    ]


class PagerDutyReceiver(Strict):
    """A service of PagerDuty."""

    kind: Literal["pagerduty"]
    """Its Events API v2."""
    secret: Annotated[
        Name, Field(description="The stack secret that is the integration's routing key.")
    ]


class MailReceiver(Strict):
    """People, by e-mail."""

    kind: Literal["email"]
    """By SMTP, with TLS always."""
    to: tuple[MailAddress, ...] = Field(strict=False, min_length=1, max_length=20)
    """Whom to."""
    sender: Annotated[MailAddress, Field(alias="from")]
    """Whom from."""
    server: Annotated[
        str, Field(pattern=SERVER_PATTERN), Expected("a server and its port: smtp.example.org:587")
    ]
    """The server that takes it, and its port."""
    username: Text
    """The account there."""
    secret: Annotated[Name, Field(description="The stack secret that is the account's password.")]


class WebhookReceiver(Strict):
    """A program: what Alertmanager posts to it is JSON."""

    kind: Literal["webhook"]
    """An HTTP POST."""
    url: HookAddress | None = None
    """Its address, where that is no secret."""
    address_secret: Annotated[Name | None, Field(alias="url-secret")] = None
    """The stack secret that is its address, where whoever has that may post."""
    token: Annotated[Name | None, Field(alias="token-secret")] = None
    """The stack secret that goes along as a bearer token."""


Receiver = Annotated[
    SlackReceiver | PagerDutyReceiver | MailReceiver | WebhookReceiver,
    Field(discriminator="kind"),
]


class Route(Strict):
    """Which alerts go to one receiver. The first route that an alert fits takes it."""

    severity: tuple[Severity, ...] = Field(default=(), strict=False)
    """Severities; all when left out."""
    tenants: tuple[Name, ...] = Field(default=(), strict=False)
    """Tenants; all, and what is no tenant's, when left out."""
    receiver: Annotated[Name, Field(description="Who gets them.")]
    also_next: Annotated[bool, Field(alias="continue")] = False
    """Whether routes after it are tried as well."""
    repeat_hours: Annotated[int, Field(ge=1, le=168, alias="repeat-hours")] = 4
    """How often it is told again while it goes on."""


class Alerts(Strict):
    """Receivers and routes of alerts."""

    receivers: dict[Name, Receiver] = Field(min_length=1, max_length=50)
    """Whom alerts may be told to, by name."""
    default: Annotated[
        Name, Field(description="The receiver of whatever no route takes: nothing is left untold.")
    ]
    routes: tuple[Route, ...] = Field(default=(), strict=False, max_length=200)
    """Who gets what, tried from the first to the last."""
    heartbeat: Name | None = None
    """The webhook that hears every minute that alerts work, and wakes somebody when it doesn't."""
