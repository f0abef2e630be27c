"""What may come in to a tenant's sandboxes: signed webhooks, and the requests of their owner."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from corral.settings.aws.texts import CIDR_PATTERN, parse_cidr
from corral.settings.hosts import Host, wildcard
from corral.settings.problems import Expected, NotAllowedError
from corral.settings.quantities import Bytes, parse_bytes
from corral.settings.runtimes import Image
from corral.settings.strict import Name, Strict

Scheme = Literal["hmac-sha256", "slack", "standard-webhooks", "stripe"]

WEBHOOK_PATH_PATTERN = r"^(/[A-Za-z0-9_-][A-Za-z0-9._-]*){1,8}$"
SIGNATURE_HEADER_PATTERN = r"^[A-Za-z][A-Za-z0-9-]{0,63}$"
NAMESPACE_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"

LEAST_BODY, MOST_BODY = parse_bytes("1Ki"), parse_bytes("1Mi")
WIDEST_SOURCE = 8
"""Bits of the widest network that may come in."""

TAKEN_HEADERS = (
    *("host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "expect"),
    *("authorization", "cookie", "forwarded"),
)
"""Headers that say how a request is read, or who somebody else takes the sender for."""


def _header(value: str) -> str:
    plain = value.lower()
    if plain in TAKEN_HEADERS or plain.startswith(("x-forwarded-", "x-envoy-", "x-sandbox-")):
        raise NotAllowedError(
            rule=f"a header of the sender's own; {value} means something to whoever is on the way",
            fix="write the one that the sender's manual names, such as X-Hub-Signature-256",
        )
    return value


def _source(value: str) -> str:
    if not re.fullmatch(CIDR_PATTERN, value):
        raise NotAllowedError(
            rule="an IPv4 network in CIDR notation",
            fix="write four numbers, a slash and the length of the prefix: 192.30.252.0/22",
        )
    if parse_cidr(value).prefixlen < WIDEST_SOURCE:
        raise NotAllowedError(
            rule=f"a network of /{WIDEST_SOURCE} or smaller: webhooks come from somewhere, not "
            "from everywhere",
            fix="write the networks that the sender publishes, or those of the load balancer or "
            "proxy that it comes through",
        )
    return value


def _one_host(value: str) -> str:
    if wildcard(value):
        raise NotAllowedError(
            rule="one name, which the certificate is for", fix="write the name that senders use"
        )
    return value


def _body(value: int) -> int:
    if not LEAST_BODY <= value <= MOST_BODY:
        raise NotAllowedError(
            rule="from 1Ki to 1Mi: all of a body is held until its signature is checked",
            fix="write 256Ki, or have the sender send a reference and not the thing itself",
        )
    return value


SandboxPort = Annotated[
    int,
    Field(ge=1024, le=65535),
    Expected("a port from 1024 to 65535: nobody is root in a sandbox"),
]
SourceNetwork = Annotated[
    str, Field(json_schema_extra={"pattern": CIDR_PATTERN}), AfterValidator(_source)
]
NamespaceName = Annotated[
    str, Field(pattern=NAMESPACE_PATTERN), Expected("the name of a namespace of the cluster")
]


class Signature(Strict):
    """How a sender proves that a request is its own, and as it wrote it."""

    scheme: Scheme = "hmac-sha256"
    """`hmac-sha256`: HMAC of the body in hex, alone or after `sha256=` (GitHub and many more).
    `slack`, `stripe` and `standard-webhooks` sign a time too."""
    header: (
        Annotated[
            str,
            Field(pattern=SIGNATURE_HEADER_PATTERN),
            AfterValidator(_header),
            Expected("the name of a header"),
        ]
        | None
    ) = None
    """Where it stands, with `hmac-sha256`; the others have headers of their own."""
    secret: Annotated[
        Name,
        Field(
            description="Secret `inbound-<tenant>-<this>` in namespace `corral-ingress`, labelled "
            "`inbound.corral.dev/secret-of: <tenant>`, made by whoever agreed on it with the "
            "sender and not by this stack: its key `value` is the shared secret, of 16 bytes or "
            "more. Without it nothing comes in."
        ),
    ]

    @model_validator(mode="after")
    def _has_its_header(self) -> Self:
        if self.scheme == "hmac-sha256" and self.header is None:
            raise ValueError(
                "header: say which one carries the signature, such as X-Hub-Signature-256"
            )
        if self.scheme != "hmac-sha256" and self.header is not None:
            raise ValueError(f"header: {self.scheme} has its own; remove it")
        return self


class Target(Strict):
    """Whom a webhook is handed to: a sandbox of that class that is ready."""

    agent_class: Annotated[
        Name,
        Field(
            alias="class",
            description="The agent class; with several sandboxes of it, each webhook goes to one "
            "of them.",
        ),
    ]
    port: SandboxPort
    """Where it listens, for plain HTTP."""


class Webhook(Strict):
    """One address that somebody outside may send signed requests to."""

    path: Annotated[
        str,
        Field(pattern=WEBHOOK_PATH_PATTERN, max_length=200),
        Expected("a whole path such as /github, without query, wildcard or dots at its parts'"),
    ]
    """Its path, after the tenant's name: `https://<host>/<tenant><path>`. No other, and no query:
    signatures don't cover it."""
    methods: tuple[Literal["POST", "PUT"], ...] = Field(
        default=("POST",), strict=False, min_length=1
    )
    """Methods. Others have no body that could be signed."""
    signature: Signature
    """What it must be signed with."""
    body_limit: Annotated[
        Bytes, AfterValidator(_body), Field(alias="body-limit", validate_default=False)
    ] = parse_bytes("256Ki")
    """Most bytes of a body, from 1Ki to 1Mi."""
    per_minute: Annotated[int, Field(ge=1, le=6000, alias="per-minute")] = 60
    """Most signed requests a minute, at each replica of the gateway."""
    to: Target
    """Whom it is handed to."""


class Router(Strict):
    """The owner's own way in: its orchestrator's requests to its sandboxes."""

    ports: tuple[SandboxPort, ...] = Field(strict=False, min_length=1, max_length=20)
    """Ports of sandboxes that it may reach."""
    per_minute: Annotated[int, Field(ge=1, le=60_000, alias="per-minute")] = 1200
    """Most requests a minute, at each replica of the gateway."""


class Inbound(Strict):
    """A tenant's ways in. Without any, nothing comes in."""

    webhooks: dict[Name, Webhook] = Field(default={}, max_length=100)
    """Webhooks by name."""
    router: Router | None = None
    """Left out, its owner reaches its sandboxes through the Kubernetes API alone."""

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        paths = Counter(hook.path for hook in self.webhooks.values())
        twice = sorted(path for path, count in paths.items() if count > 1)
        if twice:
            raise ValueError(f"webhooks: {', '.join(twice)} stands at two of them; give each its")
        return self


class WebhookDoor(Strict):
    """Where webhooks come in, for all tenants."""

    host: Annotated[Host, AfterValidator(_one_host)]
    """The name that senders use. Its certificate: Secret `inbound-webhooks-tls` (type
    kubernetes.io/tls) in `corral-ingress`, made by its owner."""
    sources: tuple[SourceNetwork, ...] = Field(strict=False, min_length=1, max_length=200)
    """Networks that connections come from: the senders', or those of the load balancer in front."""


class RouterDoor(Strict):
    """Where orchestrators come in, for all tenants: from within the cluster alone."""

    namespaces: tuple[NamespaceName, ...] = Field(strict=False, min_length=1, max_length=50)
    """Namespaces of their pods. Certificate: Secret `inbound-router-tls` in `corral-ingress`, for
    `inbound.corral-ingress.svc`, made by the platform's owner."""


class InboundImages(Strict):
    """Images that the way in is started from."""

    verifier: Image | None = None
    """What checks signatures and tokens, built from images/control/Dockerfile and kept in a
    registry of yours; `network.egress.images.control` when left out: it is the same image."""
    envoy: Image | None = None
    """The doors: Envoy's own image of the release that corral knows, when left out."""


class InboundDoors(Strict):
    """The ways into the cluster's sandboxes. A door that isn't named isn't there."""

    webhooks: WebhookDoor | None = None
    """For signed webhooks from outside."""
    router: RouterDoor | None = None
    """For tenants' orchestrators."""
    images: InboundImages = InboundImages()
    """Where its images come from."""
