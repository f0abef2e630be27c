"""Attacks on the way in, each with the wall that stops it; none reaches a sandbox.

A wall is told by its words: the verifier's begin with `corral:`, Envoy's are few or none.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from components.observability.stack.monitors import ENVOY_KEPT
from tests.network.inbound.conftest import ACME, RIVAL, owners_request
from tests.network.inbound.laboratory import HOST, Answer, WayIn, plain, put
from tests.network.inbound.requests import (
    GITHUB,
    chunked,
    post,
    secret_of,
    signature,
    signed,
    slack,
)

pytestmark = pytest.mark.cluster

BIG = b"x" * 5000
"""More than the webhook takes."""
NO_ROUTE = ""
"""Envoy's list of webhooks: of path, query and method to the letter. It says nothing."""
SIGNED = "its signature is another one"
ONCE = "must be there once"
CODEC = "Bad Request"
"""How Envoy reads a request."""
LIMIT = "Payload Too Large"
ADDRESSES = "RBAC: access denied"
"""What Envoy takes for a pod's address."""
UPGRADES = ""
"""Envoy's list of them."""


@dataclass(frozen=True)
class Attack:
    """What is sent, and what stops it: the answer's status (0: the connection ends), and words of
    it; "" for none at all."""

    name: str
    raw: bytes
    status: int
    wall: str = ""
    server_name: str | None = HOST


WEBHOOKS = (
    Attack("no signature", post(), 401, ONCE),
    Attack("another tenant's secret", signed(secret=secret_of(RIVAL)), 401, SIGNED),
    Attack("another tenant's path", signed(f"/{RIVAL}/github"), 401, SIGNED),
    Attack("a webhook that only another tenant has", signed(f"/{RIVAL}/mine"), 404, NO_ROUTE),
    Attack("a tenant that isn't there", signed("/nobody/github"), 404, NO_ROUTE),
    Attack(
        "another body's signature",
        post(body=b"evil", headers=(f"X-Hub-Signature-256: {signature(b'{}', secret_of(ACME))}",)),
        401,
        SIGNED,
    ),
    Attack("an empty signature", post(headers=("X-Hub-Signature-256: sha256=",)), 401, "64 hex"),
    Attack("half a signature", post(headers=(f"X-Hub-Signature-256: {'0' * 32}",)), 401, "64 hex"),
    Attack("an older algorithm", post(headers=(f"X-Hub-Signature: sha1={'0' * 40}",)), 401, ONCE),
    Attack(
        "a good signature and another one",
        signed(also=(f"X-Hub-Signature-256: sha256={'0' * 64}",)),
        401,
        "64 hex",
    ),
    Attack("a secret that nobody made", signed(f"/{ACME}/unmade", secret=b"\0"), 401, "no secret"),
    Attack(
        "a secret of one character",
        signed(f"/{ACME}/short", header="X-Sig", secret=b"x"),
        401,
        "no secret",
    ),
    Attack("no time", slack(b"x").replace(b"X-Slack-Request-Timestamp", b"X-When"), 401, ONCE),
    Attack("a query", signed(f"{GITHUB}?admin=1"), 404, NO_ROUTE),
    Attack("another method", signed(method="PUT"), 404, NO_ROUTE),
    Attack("GET", signed(method="GET", body=b""), 404, NO_ROUTE),
    Attack(
        "a method behind another one",
        signed(method="PUT", also=("X-HTTP-Method-Override: POST",)),
        404,
        NO_ROUTE,
    ),
    Attack("an encoded letter", signed(f"/{ACME}/%67ithub"), 404, NO_ROUTE),
    Attack("an encoded slash", signed(f"/{ACME}%2fgithub"), 404, NO_ROUTE),
    Attack("a path upwards", signed(f"/{ACME}/x/../github"), 404, NO_ROUTE),
    Attack("an encoded path upwards", signed(f"/{ACME}/x/%2e%2e/github"), 404, NO_ROUTE),
    Attack("two slashes", signed(f"//{ACME}/github"), 404, NO_ROUTE),
    Attack("a slash at the end", signed(f"{GITHUB}/"), 404, NO_ROUTE),
    Attack("a parameter of the path", signed(f"{GITHUB};x=1"), 404, NO_ROUTE),
    Attack("another case", signed(GITHUB.upper()), 404, NO_ROUTE),
    Attack("below a webhook", signed(f"{GITHUB}/../../admin"), 404, NO_ROUTE),
    Attack("a zero byte", signed(f"{GITHUB}\0"), 400, CODEC),
    Attack("a fragment", signed(f"{GITHUB}#x"), 400),
    Attack("another host", signed(host="other.example.org"), 404, NO_ROUTE),
    Attack("no host", signed().replace(b"Host: hooks.example.org\r\n", b""), 400, ""),
    Attack(
        "another host in the address", signed(f"https://other.example.org{GITHUB}"), 404, NO_ROUTE
    ),
    Attack("another server name", signed(), 0, server_name="other.example.org"),
    Attack("no server name", signed(), 0, server_name=None),
    Attack("a body too large", signed(body=BIG), 413, LIMIT),
    Attack("a body too large, in chunks", chunked(BIG), 413, LIMIT),
    Attack(
        "too many headers", signed(also=tuple(f"X-H{i}: 1" for i in range(200))), 431, "Too Large"
    ),
    Attack("headers too large", signed(also=(f"X-H: {'x' * 40_000}",)), 431, "Too Large"),
    Attack("a length and chunks", chunked(b"a", headers=("Content-Length: 40",)), 400, CODEC),
    Attack("two lengths", signed(also=("Content-Length: 1",)), 400, CODEC),
    Attack("a length with a sign", signed().replace(b"Length: 2", b"Length: +2"), 400, CODEC),
    Attack(
        "chunks in other words",
        chunked(b"a").replace(b"Encoding: chunked", b"Encoding: xchunked"),
        501,
        "Not Implemented",
    ),
    Attack(
        "a space before the colon",
        chunked(b"a").replace(b"Transfer-Encoding:", b"Transfer-Encoding :"),
        400,
        CODEC,
    ),
    Attack("a header with an underscore", signed(also=("X_Hub_Signature_256: 1",)), 400, CODEC),
    Attack("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, CODEC),
    Attack(
        "a WebSocket", signed(also=("Connection: Upgrade", "Upgrade: websocket")), 403, UPGRADES
    ),
    Attack("CONNECT", b"CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", 404, NO_ROUTE),
    Attack(
        "where to, said by the client",
        post(headers=("x-corral-destination: 127.77.0.2:80", "x-envoy-original-dst-host: a")),
        401,
        ONCE,
    ),
    Attack("a sandbox's address that isn't a pod's", signed(f"/{ACME}/rogue"), 403, ADDRESSES),
)


@pytest.mark.parametrize("attack", WEBHOOKS, ids=lambda attack: attack.name)
def test_a_webhook_that_isnt_meant_comes_to_nobody(doors: WayIn, attack: Attack) -> None:
    doors.forget()
    answer = doors.send(attack.raw, name=attack.server_name)
    stopped(doors, answer, status=attack.status, wall=attack.wall)


@pytest.mark.parametrize(
    ("ago", "named", "wall"),
    [
        pytest.param(3600, 3600, "300 s", id="of an hour ago"),
        pytest.param(-86400, -86400, "300 s", id="of tomorrow"),
        pytest.param(3600, 0, SIGNED, id="an old one with a new time"),
    ],
)
def test_a_signature_of_another_time_comes_to_nobody(
    doors: WayIn, ago: int, named: int, wall: str
) -> None:
    doors.forget()
    answer = doors.send(slack(b"old", ago=ago, says=int(time.time()) - named), name=HOST)
    stopped(doors, answer, status=401, wall=wall)


def stopped(doors: WayIn, answer: Answer, *, status: int, wall: str) -> None:
    """The wall that was meant stopped it."""
    assert (answer.status, doors.reached()) == (status, {}), answer
    assert wall in answer.text, answer
    assert wall or not answer.text, answer


def forged(doors: WayIn) -> str:
    """A token of the orchestrator's that says that it needs no signature."""
    head, claims, _ = doors.token(ACME).split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).rstrip(b"=").decode()
    assert head != none
    return f"{none}.{claims}."


Build = Callable[[WayIn], bytes]


def own(**further: str) -> Build:
    """A request of the tenant's owner, to its own sandbox unless `to` is another one."""
    to = further.pop("to", "own")
    return lambda doors: owners_request(doors, ACME, to, **further)


WEBSOCKET = {"Connection": "Upgrade", "Upgrade": "websocket"}

ROUTER: tuple[tuple[str, Build, int, str], ...] = (
    ("no token", own(Authorization=""), 401, "is needed"),
    ("a password", own(Authorization="Basic eDp5"), 401, "is needed"),
    ("no token, and a WebSocket", own(Authorization="", **WEBSOCKET), 401, "is needed"),
    ("nonsense", own(token="nonsense"), 401, "isn't one"),
    (
        "a token without a signature",
        lambda doors: owners_request(doors, ACME, "own", token=forged(doors)),
        401,
        "isn't one",
    ),
    (
        "a token for the API server",
        lambda doors: owners_request(
            doors,
            ACME,
            "own",
            token=doors.token(ACME, audience="https://kubernetes.default.svc.cluster.local"),
        ),
        401,
        "isn't one",
    ),
    (
        "a sandbox's own token",
        lambda doors: owners_request(
            doors, ACME, "own", token=doors.token(ACME, account="sandbox")
        ),
        401,
        "isn't one",
    ),
    (
        "an account of that name elsewhere",
        lambda doors: owners_request(doors, ACME, "own", token=elsewhere(doors)),
        401,
        "isn't one",
    ),
    (
        "two tokens",
        lambda doors: owners_request(
            doors, ACME, "own", authorization=f"Bearer {doors.token(RIVAL)}"
        ),
        401,
        "is needed",
    ),
    (
        "a token in the address",
        lambda doors: owners_request(
            doors,
            ACME,
            "own",
            line=f"GET /?access_token={doors.token(ACME)} HTTP/1.1",
            Authorization="",
        ),
        401,
        "is needed",
    ),
    (
        "another tenant's sandbox",
        lambda doors: owners_request(doors, RIVAL, "own"),
        404,
        "no such sandbox",
    ),
    (
        "another tenant's, with its namespace",
        lambda doors: owners_request(doors, RIVAL, "own", X_Sandbox_Namespace=f"agents-{ACME}"),
        403,
        "another tenant's",
    ),
    ("another tenant's by name", own(to="rivals"), 404, "no such sandbox"),
    ("another tenant's Sandbox", lambda d: owners_request(d, RIVAL, "claimed"), 404, "no such"),
    ("a pod's address", own(to="127.77.0.2"), 404, "no such sandbox"),
    ("the metadata service", own(to="169.254.169.254"), 404, "no such sandbox"),
    ("a name of the cluster's DNS", own(to="own.agents-inbound-rival.svc"), 404, "no such sandbox"),
    ("a path for a name", own(to="../own"), 400, "must name"),
    ("two sandboxes", own(**{"x-sandbox-id": "rivals"}), 400, "must name"),
    ("the kubelet's port", own(**{"X-Sandbox-Port": "10250"}), 403, "isn't one of"),
    ("a port below 1024", own(**{"X-Sandbox-Port": "22"}), 400, "must name"),
    (
        "a port and an address",
        own(**{"X-Sandbox-Port": "8080@169.254.169.254:80"}),
        400,
        "must name",
    ),
    ("no port", own(**{"X-Sandbox-Port": ""}), 400, "must name"),
    ("an address that isn't a pod's", own(to="rogue"), 403, ADDRESSES),
    ("CONNECT", own(line="CONNECT 127.77.0.2:80 HTTP/1.1"), 404, NO_ROUTE),
    (
        "chunks and a length",
        own(**{"Transfer-Encoding": "chunked", "Content-Length": "3"}),
        400,
        CODEC,
    ),
    ("another upgrade", own(Connection="Upgrade", Upgrade="tcp"), 403, UPGRADES),
)


def elsewhere(doors: WayIn) -> str:
    """A token of an `orchestrator` in a namespace that isn't a tenant's."""
    account = {"metadata": {"name": "orchestrator"}, "apiVersion": "v1", "kind": "ServiceAccount"}
    put(doors.api, "/api/v1/namespaces/default/serviceaccounts", account)
    asked = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": ["inbound.corral.dev"]},
    }
    path = "/api/v1/namespaces/default/serviceaccounts/orchestrator/token"
    return str(doors.api.create(path, asked)["status"]["token"])


@pytest.mark.parametrize(
    ("build", "status", "wall"),
    [pytest.param(*attack[1:], id=attack[0]) for attack in ROUTER],
)
def test_who_isnt_a_sandboxs_owner_doesnt_reach_it(
    doors: WayIn, build: Build, status: int, wall: str
) -> None:
    raw = build(doors)
    doors.forget()
    stopped(doors, doors.send(raw, door="router"), status=status, wall=wall)


@pytest.mark.parametrize(
    "line",
    [
        "GET /config_dump HTTP/1.1",
        "POST /quitquitquit HTTP/1.1",
        "GET /stats HTTP/1.1",
        "POST /ready HTTP/1.1",
        "POST /stats/prometheus HTTP/1.1",
        "GET /stats/prometheus/../../config_dump HTTP/1.1",
        "GET /ready/../config_dump HTTP/1.1",
        "GET //config_dump HTTP/1.1",
    ],
)
def test_nothing_but_readiness_and_figures_is_administered_from_outside(
    doors: WayIn, line: str
) -> None:
    answer = plain(doors.health, f"{line}\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    assert answer.status == 404
    assert doors.envoy.poll() is None


def test_figures_are_those_of_the_doors_as_a_whole(doors: WayIn) -> None:
    answer = plain(doors.health, b"GET /stats/prometheus HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.status == 200
    names = {line.partition("{")[0] for line in answer.text.splitlines() if line[:1].isalpha()}
    kept = {name for name in names if re.fullmatch(ENVOY_KEPT, name)}
    assert {"envoy_server_live", "envoy_http_downstream_rq_xx"} <= kept
    assert len(kept) < 200, "Prometheus keeps few, whatever tenants do"


def test_a_door_speaks_tls_alone(doors: WayIn) -> None:
    doors.forget()
    for port in (doors.webhooks, doors.router):
        assert plain(port, signed()).status == 0
    assert doors.reached() == {}
