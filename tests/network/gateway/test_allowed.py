"""What is on a tenant's list is reached, in every way that leads to it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from components.network.gateway.bootstrap import HEALTH_PORT
from tests.network.gateway.steps import (
    CLOSE,
    Steps,
    answered,
    asking,
    connect,
    direct,
    inspected,
    plain,
    raw,
    request,
    tunnelled,
)
from tests.network.laboratory import names
from tests.network.laboratory.hello import client_hello
from tests.network.laboratory.outside import Laboratory, proxy, tls

ROOTS, OWN_ROOTS = "roots.pem", "gateway/acme.pem"
OK = "ok.example.org"


@dataclass(frozen=True, kw_only=True)
class Way:
    """A connection that must get through."""

    name: str
    steps: Steps
    reaches: str
    """What arrives."""
    door: str = "proxy"
    tenant: str = "acme"


def inner(server_name: str, roots: str, method: str = "GET", target: str = "/v1/in") -> Steps:
    """TLS that is judged by a file of the laboratory, and a request in it."""
    length = ("content-length: 0",) if method == "POST" else ()
    asked = request(server_name, target, *length, method=method)
    return [["tls", server_name, roots], ["send", asked], ["end"]]


def tunnel(authority: str, roots: str = ROOTS, method: str = "GET") -> Steps:
    """The same after CONNECT."""
    return [*connect(authority), *inner(authority.partition(":")[0], roots, method)]


WAYS = (
    Way(name="CONNECT", steps=tunnel(f"{OK}:443"), reaches=f"GET {OK} /v1/in"),
    Way(name="TLS", door="tls", steps=inner(OK, ROOTS), reaches=f"GET {OK} /v1/in"),
    Way(name="CONNECT to another port", steps=tunnel("alt.example.org:8443"),
        reaches="GET alt.example.org /v1/in"),
    Way(name="CONNECT to a wildcard", steps=tunnel("a.wild.example.org:443"),
        reaches="GET a.wild.example.org /v1/in"),
    Way(name="TLS to a wildcard", door="tls", steps=inner("b.wild.example.org", ROOTS),
        reaches="GET b.wild.example.org /v1/in"),
    Way(name="CONNECT with a Host that says otherwise", reaches=f"GET {OK} /v1/in",
        steps=[*connect(f"{OK}:443", host="evil.example.org"), *inner(OK, ROOTS)]),
    Way(name="CONNECT after a request to another host", reaches=f"GET {OK} /v1/in",
        steps=[["send", "GET / HTTP/1.1\r\nHost: plain.example.org\r\n\r\n"], ["answer"],
               *tunnel(f"{OK}:443")]),
    Way(name="CONNECT of HTTP/1.0", reaches=f"GET {OK} /v1/in",
        steps=[["send", f"CONNECT {OK}:443 HTTP/1.0\r\n\r\n"], ["answer", True],
               *inner(OK, ROOTS)]),
    Way(name="a plain request", steps=plain("plain.example.org", "/x?y=z"),
        reaches="GET plain.example.org /x?y=z"),
    Way(name="a plain request with its port", steps=plain("plain.example.org:80"),
        reaches="GET plain.example.org:80 /"),
    Way(name="a plain request by its URL", reaches="GET plain.example.org /u",
        steps=raw(f"GET http://plain.example.org/u HTTP/1.1\r\nHost: x\r\n{CLOSE}\r\n\r\n")),
    Way(name="a plain request in capitals", steps=plain("PLAIN.Example.Org"),
        reaches="GET PLAIN.Example.Org /"),
    Way(name="a plain request to a wildcard", steps=plain("a.wildplain.example.org"),
        reaches="GET a.wildplain.example.org /"),
    Way(name="inspected, by CONNECT", steps=tunnel("api.example.org:443", OWN_ROOTS, "POST"),
        reaches="POST api.example.org /v1/in"),
    Way(name="inspected, by TLS", door="tls", steps=inner("api.example.org", OWN_ROOTS, "POST"),
        reaches="POST api.example.org /v1/in"),
    Way(name="inspected, a wildcard", steps=tunnel("a.wildi.example.org:443", OWN_ROOTS),
        reaches="GET a.wildi.example.org /v1/in"),
    Way(name="inspected, on port 80", steps=plain("both.example.org", "/v1/x"),
        reaches="GET both.example.org /v1/x"),
    Way(name="the owner's host, by the private way", tenant="builder",
        steps=tunnel("mirror.example.org:443"), reaches="GET mirror.example.org /v1/in"),
    Way(name="the owner's host, plain", tenant="builder", steps=plain("mirror.example.org"),
        reaches="GET mirror.example.org /"),
)  # fmt: skip


def probe(laboratory: Laboratory, way: Way) -> dict[str, object]:
    """What came of it, with the laboratory's files by their whole path."""
    folder = laboratory.folder
    steps = [
        [kind, *values[:1], str(folder / values[1])] if kind == "tls" and values[1:] else
        [kind, *values]
        for kind, *values in way.steps
    ]  # fmt: skip
    port = {"proxy": proxy, "tls": tls}[way.door](way.tenant)
    found: dict[str, object] = laboratory.ask(
        "probe", host="127.0.0.1", port=port, steps=steps, logs=False
    )
    return found


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_what_is_on_the_list_is_reached(laboratory: Laboratory, way: Way) -> None:
    seen = probe(laboratory, way)

    assert way.reaches in str(seen["reached"]), seen
    assert "200 OK" in str(seen["said"]), seen


def test_a_credential_is_added_and_the_sandbox_s_own_is_gone(laboratory: Laboratory) -> None:
    asked = request(
        "api.example.org", "/v1/x", "content-length: 0", "Authorization: Bearer mine", method="POST"
    )
    steps = inspected("api.example.org", asked)
    seen = laboratory.ask("probe", host="127.0.0.1", port=proxy("acme"), steps=steps, logs=False)

    (told,) = seen["told"]
    assert [value for name, value in told if name == "authorization"] == [names.CREDENTIAL]


def test_a_websocket_goes_on_where_it_is_allowed(laboratory: Laboratory) -> None:
    upgrade = (
        "GET /socket HTTP/1.1\r\nHost: chat.example.org\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    steps = [["tls", "chat.example.org"], ["send", upgrade], ["answer", True],
             ["send", "back and forth"], ["some"]]  # fmt: skip
    seen = laboratory.ask("probe", host="127.0.0.1", port=tls("acme"), steps=steps, logs=False)

    assert "101 Switching Protocols" in seen["said"][1]
    assert seen["said"][2] == "back and forth"


@pytest.mark.parametrize(
    ("host", "door"),
    [
        ("plain.example.org", "plain"),
        (OK, "tls"),
        (OK, "CONNECT"),
        ("chat.example.org", "tls"),
    ],
)
def test_a_long_answer_arrives_whole_though_its_connection_ends_with_it(
    laboratory: Laboratory, host: str, door: str
) -> None:
    asked: Steps = [["send", request(host, "/long/64")], ["end"]]
    before: Steps = {
        "plain": [],
        "tls": [["tls", host]],
        "CONNECT": [*connect(f"{host}:443"), ["tls", host]],
    }[door]
    port = tls("acme") if door == "tls" else proxy("acme")
    seen = laboratory.ask("probe", host="127.0.0.1", port=port, steps=before + asked, logs=False)

    assert seen["end"] == "closed", "not reset: what was written before would be lost"
    assert len(seen["said"][-1].partition("\r\n\r\n")[2]) == 64 * 64 * 1024


@pytest.mark.parametrize("target", ["/ready", "/stats/prometheus"])
def test_the_health_port_answers_what_it_is_for(laboratory: Laboratory, target: str) -> None:
    seen = laboratory.ask(
        "probe", host="127.0.0.1", port=HEALTH_PORT, steps=answered("x", target), logs=False
    )

    assert seen["said"][0].startswith("HTTP/1.1 200 OK")
    of_tenants = {line.partition("{")[0] for line in seen["said"][0].splitlines() if "acme" in line}
    assert of_tenants <= {"envoy_corral_tenant_egress_denials"}, "else of the gateway as a whole"


ACCEPTED = (
    Way(name="fronting: another Host inside of TLS that passes through",
        steps=[*connect(f"{OK}:443"), ["tls", OK], ["send", request("evil.example.org")], ["end"]],
        reaches="GET evil.example.org /"),
    Way(name="fronting, by TLS", door="tls", steps=direct(OK, "evil.example.org"),
        reaches="GET evil.example.org /inner"),
    Way(name="anything at all after a hello that names a listed host", door="tls",
        steps=[["send", client_hello(OK.encode()).decode("latin-1")], ["some"]],
        reaches=f"tls {OK}"),
    Way(name="data in the one label of a wildcard",
        steps=tunnelled("a.wild.example.org:443", "a.wild.example.org"),
        reaches="GET a.wild.example.org /inner"),
    Way(name="data in a path of a listed host", steps=plain("plain.example.org", "/c2VjcmV0"),
        reaches="GET plain.example.org /c2VjcmV0"),
    Way(name="a CONNECT and its first bytes in one", reaches=f"tls {OK}",
        steps=[["send", asking(f"{OK}:443") + client_hello(OK.encode()).decode("latin-1")],
               ["answer", True], ["some"]]),
)  # fmt: skip
"""What gets through by design: where TLS isn't opened, name and port are all that is judged."""


@pytest.mark.parametrize("way", ACCEPTED, ids=lambda way: way.name)
def test_what_is_accepted_gets_through(laboratory: Laboratory, way: Way) -> None:
    assert way.reaches in str(probe(laboratory, way)["reached"])
