"""What a tenant's sandboxes may reach: names and ports, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from corral.settings.hosts import Host, wildcard
from corral.settings.packages import Packages
from corral.settings.problems import Expected, NotAllowedError
from corral.settings.quantities import Bytes, parse_bytes
from corral.settings.strict import Name, Strict

HIGHEST_NUMBER = 5600
"""Four ports each, from 10000: below 32768, where the kernel takes those of outgoing
connections."""

MOST_HOSTS, MOST_INSPECTED = 2000, 80
"""On one tenant's list: what the gateway is told of it is one object of Kubernetes, which holds a
MiB, and of each inspected host that is 6 to 10 KiB."""

CLOSED_PORTS = {
    22: "SSH carries anything, to anywhere behind that host: use the host's HTTPS",
    25: "SMTP: networks of whole accounts are blocked for what leaves by it",
    53: "DNS is answered by the platform's resolver alone",
    853: "DNS over TLS gets around the platform's resolver",
    6443: "Kubernetes API servers listen there",
    10250: "kubelets listen there",
}
"""Ports that no list may open, each with its reason."""

PATH_PATTERN = r"^/[A-Za-z0-9._~!$&'()+,;=:@/-]*$"
HEADER_PATTERN = r"^[A-Za-z][A-Za-z0-9-]{0,63}$"

HELD_HEADERS = ("host", "connection", "content-length", "transfer-encoding", "upgrade", "te")
"""Headers that say how a request is read: no credential goes there."""


def _port(value: int) -> int:
    if value in CLOSED_PORTS:
        raise NotAllowedError(
            rule=f"a port other than {value}: {CLOSED_PORTS[value]}", fix="remove the port"
        )
    return value


def _header(value: str) -> str:
    if value.lower() in HELD_HEADERS:
        raise NotAllowedError(
            rule=f"a header that carries a credential; {value} says how a request is read",
            fix="write Authorization, or the header that the service's manual names",
        )
    return value


def _allow(value: tuple[Destination, ...]) -> tuple[Destination, ...]:
    for what, found, most in (
        ("hosts", value, MOST_HOSTS),
        ("inspected hosts", [each for each in value if each.inspect is not None], MOST_INSPECTED),
    ):
        if len(found) > most:
            raise NotAllowedError(
                rule=f"a list of at most {most} {what}: the object that gateways read of a tenant "
                "has no room for more",
                fix=f"name those that its sandboxes use, or give some to another tenant: there "
                f"are {len(found)}",
            )
    return value


Port = Annotated[
    int, Field(ge=1, le=65535), AfterValidator(_port), Expected("a port from 1 to 65535")
]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PathPrefix = Annotated[
    str,
    Field(pattern=PATH_PATTERN, max_length=512),
    Expected("the beginning of a path: /v1/, without query or wildcard"),
]
HeaderName = Annotated[
    str, Field(pattern=HEADER_PATTERN), AfterValidator(_header), Expected("the name of a header")
]


class Credential(Strict):
    """What the gateway adds to requests, so that no sandbox ever holds it."""

    secret: Annotated[
        Name,
        Field(
            description="Secret `egress-<tenant>-<this>` in namespace `corral-egress`, labelled "
            "`egress.corral.dev/credential-of: <tenant>`, made by whoever owns the key and not by "
            'this stack: its key `value` is the whole value of the header ("Bearer …"). Without it '
            "requests are refused."
        ),
    ]
    header: HeaderName = "Authorization"
    """The header; whatever a sandbox sends in it is replaced."""


class Inspect(Strict):
    """TLS ends in the gateway, with a certificate that only this tenant's sandboxes trust: it sees
    and judges every request."""

    methods: tuple[Method, ...] = Field(default=("GET", "HEAD", "POST"), strict=False, min_length=1)
    """Methods of requests."""
    paths: tuple[PathPrefix, ...] = Field(default=("/",), strict=False, min_length=1)
    """What paths begin with."""
    websockets: bool = False
    """Whether a request may turn into a WebSocket, which is judged at its start alone."""
    credential: Credential | None = None
    """A credential that is added to each request over TLS; none is on port 80."""


class Destination(Strict):
    """One host on a tenant's list."""

    host: Host
    """Its name; `*.` before it stands for one label."""
    ports: tuple[Port, ...] = Field(default=(443,), strict=False, min_length=1)
    """Its ports. On 80 it is plain HTTP; on any other port TLS."""
    inspect: Inspect | None = None
    """Left out, TLS passes through: then name and port are all that is judged, and whoever runs
    the host (or shares its addresses) sees the rest."""

    @model_validator(mode="after")
    def _inspectable(self) -> Self:
        if self.inspect is None:
            return self
        if self.inspect.credential is not None and wildcard(self.host):
            raise NotAllowedError(
                rule=f"no credential for {self.host}: a key goes to one host that is known",
                fix="name the host, or remove inspect.credential",
            )
        return self


class Limits(Strict):
    """The most that all of a tenant's sandboxes together take of one gateway replica."""

    connections: Annotated[int, Field(ge=1, le=100_000)] = 2000
    """Tunnels at once, on each of its ports."""
    new_per_second: Annotated[int, Field(ge=1, le=10_000, alias="new-per-second")] = 200
    """New tunnels a second, on each of its ports."""
    bytes_per_second: Annotated[Bytes, Field(alias="bytes-per-second")] = parse_bytes("64Mi")
    """Bytes a second in each direction, on each of its ports."""


class Egress(Strict):
    """A tenant's way out. Without a list nothing can be reached."""

    number: Annotated[int, Field(ge=1, le=HIGHEST_NUMBER)]
    """The tenant's own number, never another's: its ports at the gateway and at the resolver follow
    from it, and they are who it is. It stays when other tenants come and go."""
    allow: Annotated[tuple[Destination, ...], AfterValidator(_allow)] = Field(
        default=(), strict=False
    )
    """What may be reached."""
    limits: Limits = Limits()
    """How much of it."""
    packages: Packages | None = None
    """A package mirror of its own. Left out, there is none."""

    def pairs(self) -> Iterator[tuple[Destination, int]]:
        """Every host with every of its ports."""
        for destination in self.allow:
            for port in destination.ports:
                yield destination, port
