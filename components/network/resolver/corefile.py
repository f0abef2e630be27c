"""CoreDNS' configuration: a server block for each tenant, told by the port that is reached.

A tenant's block knows its own names and answers them with its own address at the gateway. There is
no upstream: what isn't on the list doesn't exist, and nothing that a sandbox asks goes anywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from jinja2 import Environment, PackageLoader, StrictUndefined

from components.network.gateway.ports import EVERY_ADDRESS, doors
from corral.settings.egress import Egress
from corral.settings.hosts import wildcard

ANSWER_SECONDS = 30
"""How long an answer may be kept. The address behind a name doesn't change; whether it is answered
does."""

ANSWERS_PER_SECOND = 500
"""Of one tenant on one replica. A busy package manager asks for a few dozen."""

HEALTH_PORT, READY_PORT, METRICS_PORT = 8080, 8181, 9153
IDLE_PORT = 1053
"""On loopback. CoreDNS has health and figures as parts of a server, and this one answers nobody."""
RELOAD_SECONDS, JITTER_SECONDS = 2, 1
"""CoreDNS takes no less."""

START_OF_AUTHORITY = (
    "corral.invalid. 5 IN SOA resolver.corral.invalid. platform.corral.invalid. 1 5 5 5 5"
)
"""What tells clients how long a refusal may be kept: five seconds, so that a name that is added is
soon there."""

# The name stands in quotes, escaped by CoreDNS: a line stays a line, whatever is asked for.
_LOG = {
    "event": "query",
    "source": "{remote}",
    "name": "{name}",
    "type": "{type}",
    "class": "{class}",
    "verdict": "{rcode}",
    "bytes": "{size}",
    "seconds": "{duration}",
}

_templates = Environment(
    loader=PackageLoader("components.network.resolver"),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - a Corefile is no HTML
)


def tenant_corefile(
    tenant: str, egress: Egress, *, gateway: str, address: str = EVERY_ADDRESS
) -> str:
    """The tenant's server block. `gateway` is its own address there."""
    return _templates.get_template("tenant.corefile.j2").render(
        tenant=tenant,
        port=doors(egress.number).dns,
        address=address,
        log_format=_quoted({**_LOG, "tenant": tenant}),
        answers=ANSWERS_PER_SECOND,
        names=names_pattern(each.host for each in egress.allow),
        gateway=gateway,
        seconds=ANSWER_SECONDS,
        start_of_authority=START_OF_AUTHORITY,
    )


def shared_corefile(folder: str, *, address: str = EVERY_ADDRESS) -> str:
    """The file that CoreDNS is started with; tenants' files are in `folder`."""
    return _templates.get_template("shared.corefile.j2").render(
        folder=folder,
        address=address,
        idle_port=IDLE_PORT,
        health_port=HEALTH_PORT,
        ready_port=READY_PORT,
        metrics_port=METRICS_PORT,
        reload_seconds=RELOAD_SECONDS,
        jitter_seconds=JITTER_SECONDS,
    )


def names_pattern(hosts: Iterable[str]) -> str:
    """A regular expression that fits these hosts as whole names, with the root's dot; "" for none.

    `.` in a pattern would take in whole labels, and a pattern without its ends whatever comes
    before and after it.
    """
    found = sorted({_pattern(host) for host in hosts})
    return f"^(?:{'|'.join(found)})[.]$" if found else ""


def _pattern(host: str) -> str:
    # [.] and not \.: a Corefile has an escape of its own.
    plain = "[.]".join(re.escape(label) for label in host.removeprefix("*.").split("."))
    plain = plain.replace(r"\-", "-")
    return f"[a-z0-9-]+[.]{plain}" if wildcard(host) else plain


def _quoted(fields: dict[str, str]) -> str:
    """JSON within a Corefile's quotes."""
    return json.dumps(fields).replace('"', r"\"")
