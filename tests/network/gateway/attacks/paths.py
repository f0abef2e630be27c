"""What `inspect` judges: methods, paths, hosts, upgrades."""

from __future__ import annotations

from collections.abc import Iterator

from tests.network.gateway.attacks.attack import (
    EVIL,
    HEADERS,
    INSPECTED,
    INSPECTED_CODEC,
    OK,
    PATHS,
    ROUTES,
    UPGRADES,
    Attack,
)
from tests.network.gateway.steps import api, asking, chat, connect, inspected, plain, request

EVASIONS = {
    "/admin": INSPECTED,
    "/v1": INSPECTED,
    "/V1/x": INSPECTED,
    "/v1/../admin": INSPECTED,
    "/v1/./../admin": INSPECTED,
    "/v1/%2e%2e/admin": INSPECTED,
    "/v1/..\\admin": INSPECTED,
    "//v1/../admin": INSPECTED,
    "/v1/.%2e;/admin": INSPECTED,
    "/v1/..%3b/admin": INSPECTED,
    "/v1/..;/admin": INSPECTED,
    "/v1/..;x=y/admin": INSPECTED,
    "/v1/%252e%252e/admin": INSPECTED,
    "/v1/%c0%ae%c0%ae/admin": INSPECTED,
    "/v1/..%2fadmin": PATHS,
    "/v1/..%5cadmin": PATHS,
    "/v1/x#/../../admin": PATHS,
    "http://api.example.org/v1/../admin": PATHS,
    "*": PATHS,
    "/v1/x\0": INSPECTED_CODEC,
}


def judged() -> Iterator[Attack]:
    """What `inspect` judges."""
    for path, wall in EVASIONS.items():
        yield Attack(name=f"path {path!r}", wall=wall, steps=api(path))
    for method in ("GET", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "post", "POST2"):
        known = method.isalpha() and method.isupper()
        yield Attack(
            name=f"method {method}",
            wall=INSPECTED if known else INSPECTED_CODEC,
            steps=api(method=method),
        )
    yield Attack(
        name="a CONNECT inside",
        wall=INSPECTED,
        steps=inspected("api.example.org", asking("api.example.org:443")),
    )
    for host in (
        EVIL,
        OK,
        "chat.example.org",
        "api.example.org:8443",
        "api.example.org.",
        "169.254.169.254",
        "a.wildi.example.org",
    ):
        yield Attack(name=f"fronting: Host {host} inside", wall=INSPECTED, steps=api(host=host))
    yield Attack(
        name="fronting: two Hosts inside", wall=INSPECTED, steps=api("/v1/x", f"Host: {EVIL}")
    )
    yield Attack(
        name="fronting: a URL inside",
        wall=PATHS,
        steps=api(f"http://{EVIL}/v1/x"),
        shows="not on this tenant's list",
    )
    yield Attack(
        name="fronting: two labels of a wildcard inside",
        wall=INSPECTED,
        steps=inspected("a.wildi.example.org", request("a.b.wildi.example.org")),
    )
    yield Attack(
        name="two labels of an inspected wildcard",
        wall=ROUTES,
        steps=connect("a.b.wildi.example.org:443"),
    )
    for header in (
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
        "X-Original-URL: /admin",
        "X-Rewrite-URL: /admin",
    ):
        yield Attack(
            name=f"{header} inside",
            wall=HEADERS,
            hidden=header.partition(" ")[2],
            reaches=("POST api.example.org /v1/x",),
            steps=api("/v1/x", header),
        )
    yield Attack(
        name="a credential of the sandbox's own",
        wall=HEADERS,
        hidden="mine",
        reaches=("POST api.example.org /v1/x",),
        steps=api("/v1/x", "Authorization: Bearer mine", "authorization: mine"),
    )
    yield Attack(
        name="a request whose credential isn't there",
        wall="credential",
        steps=inspected(
            "nokey.example.org",
            request(
                "nokey.example.org", "/", "content-length: 0", "Authorization: mine", method="POST"
            ),
        ),
    )
    for host in ("forged.example.org", "selfmade.example.org"):
        yield Attack(
            name=f"somebody in the way of {host}",
            wall="certificate",
            steps=inspected(host, request(host)),
        )
    yield Attack(
        name="a WebSocket that isn't allowed",
        wall=UPGRADES,
        steps=api("/v1/x", "Upgrade: websocket", "Connection: upgrade"),
    )
    for kind in ("connect-udp", "tcp"):
        yield Attack(
            name=f"an upgrade to {kind} where WebSockets are allowed",
            wall=UPGRADES,
            steps=chat("/", f"Upgrade: {kind}", "Connection: upgrade"),
        )
    yield Attack(
        name="a request behind an upgrade that the host declines",
        wall="end",
        reaches=("GET chat.example.org /no-upgrade",),
        steps=chat("/no-upgrade", "Upgrade: websocket", "Connection: upgrade"),
    )
    for target in ("/admin", "/v1/..;/admin", "/v1/../admin"):
        yield Attack(
            name=f"{target} of an inspected host by plain HTTP",
            wall=ROUTES,
            steps=plain("both.example.org", target),
        )
    yield Attack(
        name="a method that isn't allowed, by plain HTTP",
        wall=ROUTES,
        steps=plain("both.example.org", "/v1/x", "content-length: 0", method="POST"),
    )
    yield Attack(
        name="an override by plain HTTP",
        wall=HEADERS,
        hidden="DELETE",
        reaches=("GET both.example.org /v1/x",),
        steps=plain("both.example.org", "/v1/x", "X-HTTP-Method-Override: DELETE"),
    )
    yield Attack(
        name="port 443 of a host whose credential is missing, by plain HTTP",
        wall=ROUTES,
        steps=plain("nokey.example.org"),
    )
