"""Which wall answers for what, by which rule."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from corral.network.advice import advice
from corral.network.deployed import Network
from tests.network.explain.room import ALLOW, CALICO, FLOOR, ask, network, stopped, way

TLS, PLAIN, PROXY, PACKETS = "by name, TLS", "by name, plain", "by proxy", "packets"

IN_ORDER = [
    "policy, sandbox",
    "policy, resolver",
    "resolver",
    "policy, sandbox",
    "policy, gateway",
    "door",
    "decision",
    "same name",
    "addresses",
    "address rule",
    "fence",
]

OPEN = [
    ("api.github.com", TLS),
    ("api.github.com:443", PROXY),
    ("files.pypi.org", TLS),
    ("files.pypi.org", PROXY),
    ("alt.example.org:8443", PROXY),
    ("plain.example.org:80", PLAIN),
    ("plain.example.org:80", PROXY),
    ("api.openai.com", TLS),
    ("v2.docs.example.org", TLS),
    ("mirror.internal.example.org", TLS),
    ("both.example.org:80", PLAIN),
]

CLOSED = [
    # to, way, wall, rule
    ("evil.example.org", TLS, "resolver", "not on the list"),
    ("evil.example.org", PROXY, "decision", "403"),
    ("pypi.org", TLS, "resolver", "not on the list"),
    ("pypi.org", PROXY, "decision", "403"),
    ("a.b.pypi.org", TLS, "resolver", "not on the list"),
    ("a.b.pypi.org", PROXY, "one label", "*.pypi.org:443"),
    ("evilpypi.org", PROXY, "decision", "403"),
    ("api.github.com.evil.example.org", PROXY, "decision", "403"),
    ("api.github.com.", PROXY, "decision", "403"),
    ("API.github.com", PROXY, "same name", "same-name"),
    ("api.github.com:22", "by name, port", "service", "gateway-acme"),
    ("api.github.com:22", PROXY, "decision", "403"),
    ("api.github.com:80", PLAIN, "decision", "403"),
    ("plain.example.org:443", PROXY, "decision", "403"),
    ("only-other.example.org", TLS, "resolver", "not on the list"),
    ("only-other.example.org", PROXY, "decision", "403"),
    ("bücher.example.org", PROXY, "decision", "403"),
    ("169.254.169.254:80", PACKETS, "policy, sandbox", "sandbox.refused: metadata"),
    ("2852039166:80", PACKETS, "policy, sandbox", "sandbox.refused: metadata"),
    ("0xa9fea9fe:80", PACKETS, "policy, sandbox", "sandbox.refused: metadata"),
    ("0251.0376.0251.0376:80", PACKETS, "policy, sandbox", "sandbox.refused: metadata"),
    ("[::ffff:169.254.169.254]:80", PACKETS, "policy, sandbox", "sandbox.refused: metadata"),
    ("[fd00:ec2::254]:80", PACKETS, "policy, sandbox", "sandbox.refused: metadata"),
    ("169.254.170.23:80", PACKETS, "policy, sandbox", "sandbox.refused: metadata"),
    ("169.254.169.254:80", PROXY, "decision", "403"),
    ("2852039166", PROXY, "decision", "403"),
    ("127.1", PACKETS, "policy, sandbox", "sandbox.refused: loopback"),
    ("10.1.2.3", PACKETS, "policy, sandbox", "sandbox.refused: private"),
    ("100.64.1.1", PACKETS, "policy, sandbox", "sandbox.refused: carrier-nat"),
    ("198.51.100.7", PACKETS, "policy, sandbox", "sandbox.refused: nodes"),
    ("1.1.1.1:443", PACKETS, "policy, sandbox", "sandbox.refused: not-on-the-list"),
    ("1.1.1.1:853", PACKETS, "policy, sandbox", "sandbox.refused: dns-over-tls"),
    ("1.1.1.1:25", PACKETS, "policy, sandbox", "sandbox.refused: smtp"),
    ("1.1.1.1:443", "UDP", "policy, sandbox", "sandbox.refused: quic"),
    ("10.0.0.9:10250", PACKETS, "policy, sandbox", "sandbox.refused: kubelet"),
    ("kubernetes.default.svc", PACKETS, "policy, sandbox", "sandbox.refused: api-server"),
    ("kubernetes.default.svc", TLS, "resolver", "not on the list"),
    ("kube-dns.kube-system:53", PACKETS, "policy, sandbox", "sandbox.refused: private"),
    ("metadata.google.internal:80", PACKETS, "policy, sandbox", "sandbox.refused: metadata"),
    ("gateway-other.corral-egress.svc", PACKETS, "policy, sandbox", "sandbox.refused: private"),
    ("resolver-other.corral-egress:53", PACKETS, "policy, sandbox", "sandbox.refused: private"),
    ("egress-control.corral-egress:8443", PACKETS, "policy, sandbox", "sandbox.refused: private"),
    ("gateway-acme.corral-egress.svc:9902", PACKETS, "policy, sandbox", "sandbox.refused: private"),
]


@pytest.mark.parametrize(("to", "begins"), OPEN)
@pytest.mark.parametrize("of", [CALICO, FLOOR], ids=["calico", "floor"])
def test_what_is_on_the_list_is_reached(to: str, begins: str, of: object) -> None:
    found = ask(to, of=of)  # type: ignore[arg-type]  # pytest's parameters have no types
    assert way(found, begins).reaches, stopped(way(found, begins))
    assert found.reachable


@pytest.mark.parametrize(("to", "begins", "wall", "rule"), CLOSED)
def test_a_wall_refuses_by_its_rule(to: str, begins: str, wall: str, rule: str) -> None:
    found = stopped(way(ask(to), begins))
    assert (found.name, found.rule) == (wall, rule)


@pytest.mark.parametrize(("to", "begins"), [(to, begins) for to, begins, *_ in CLOSED])
def test_without_calico_the_same_is_closed(to: str, begins: str) -> None:
    assert not way(ask(to, of=FLOOR), begins).reaches


def test_the_walls_come_in_the_order_in_which_a_connection_meets_them() -> None:
    found = way(ask("api.github.com"), TLS)
    assert [wall.name for wall in found.walls] == IN_ORDER


def test_a_tenant_without_a_list_reaches_nothing_and_is_told_so() -> None:
    for tenant in ("unlisted", "none"):
        found = ask("api.github.com", tenant=tenant)
        assert not found.reachable
    assert "has no egress" in advice(found, None)


@pytest.mark.parametrize("of", [CALICO, FLOOR])
def test_without_egress_a_look_up_gets_no_answer_and_with_an_empty_list_nxdomain(
    of: Network,
) -> None:
    without, empty = (ask("api.github.com", tenant=name, of=of) for name in ("none", "unlisted"))
    assert stopped(way(without, TLS)).name == "policy, sandbox", "dropped before anybody hears it"
    assert "no answer, not even NXDOMAIN" in advice(without, None)
    assert not ask("10.96.0.10:53", tenant="none", of=of).reachable, "nor from the cluster's DNS"
    refusing = stopped(way(empty, TLS))
    assert (refusing.name, "NXDOMAIN" in refusing.why) == ("resolver", True)
    assert "NXDOMAIN" in advice(empty, of.lists["unlisted"])


def test_ones_own_gateway_can_be_connected_and_nothing_else_there() -> None:
    assert ask("gateway-acme.corral-egress.svc:3128").reachable
    assert not ask("gateway-acme.corral-egress.svc:3128", tenant="other").reachable


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"method": "GET", "path": "/v1/models"}, "the method isn't on the list"),
        ({"method": "POST", "path": "/v2/"}, "no path on the list begins so"),
        ({"method": "POST", "path": "/v1/../v2/"}, "no path on the list begins so"),
        ({"method": "POST", "path": "/v1/%2e%2e/v2/"}, "no path on the list begins so"),
        ({"method": "POST", "path": "/v1/..%2fv2"}, "escaped slashes"),
        ({"method": "POST", "path": "/v1/..;/v2"}, "another one"),
        ({"method": "POST", "path": "/v1/", "websocket": True}, "may not turn into websocket"),
    ],
)
def test_inspected_requests_are_judged(more: dict[str, Any], rule: str) -> None:
    wall = stopped(way(ask("api.openai.com", **more), TLS))
    assert wall.name == "inspection"
    assert rule in wall.why


def test_a_request_that_is_allowed_takes_the_credential_by_its_name_alone() -> None:
    found = ask("api.openai.com", method="POST", path="/v1/chat")
    [credential] = [wall for wall in way(found, TLS).walls if wall.name == "credential"]
    assert credential.rule == "openai"
    assert "Authorization" in credential.why
    assert [str(each) for each in found.requests] == ["POST /v1/…"]


def test_websockets_pass_where_the_list_says_so() -> None:
    assert ask("chat.example.org", method="GET", websocket=True).reachable


def test_on_port_80_the_rules_hold_and_no_credential_goes() -> None:
    assert ask("both.example.org:80", method="POST", path="/v1/x").reachable
    assert not ask("both.example.org:80", method="POST", path="/v2/x").reachable
    assert not ask("both.example.org:80", method="GET", path="/v1/x", websocket=True).reachable


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("10.0.0.1", "private"),
        ("64:ff9b::a00:1", "NAT64"),
        ("198.51.100.7", "documentation"),
    ],
)
def test_an_address_that_no_name_may_lead_to_is_dropped(address: str, why: str) -> None:
    wall = stopped(way(ask("api.github.com", resolves_to=ip_address(address)), TLS))
    assert wall.name == "addresses"
    assert why in wall.why


def test_an_owners_host_is_taken_from_its_own_networks_alone() -> None:
    inside, outside = ip_address("10.7.0.9"), ip_address("93.184.216.34")
    assert ask("mirror.internal.example.org", resolves_to=inside).reachable
    wall = stopped(way(ask("mirror.internal.example.org", resolves_to=outside), TLS))
    assert wall.name == "addresses"


RISKS = [
    ("api.github.com", "passes through unread"),
    ("api.github.com", "anybody's token"),
    ("api.github.com", "shared with other sites"),
    ("files.pypi.org", "The wildcard"),
    ("plain.example.org:80", "everybody on the path"),
    ("api.openai.com", "holds the credential"),
    ("api.openai.com", "reads these requests"),
    ("chat.example.org", "A WebSocket"),
    ("chat.example.org", "only read"),
]


@pytest.mark.parametrize(("to", "words"), RISKS)
def test_what_stays_a_risk_is_said(to: str, words: str) -> None:
    assert any(words in risk for risk in ask(to).risks)


def test_inspection_leaves_no_risk_of_passthrough() -> None:
    assert not any("unread" in risk for risk in ask("api.openai.com").risks)


def test_what_is_closed_has_no_risks() -> None:
    assert ask("evil.example.org").risks == []


ADVICE = [
    ("evil.example.org", "add {host: evil.example.org} to tenants.acme.egress.allow"),
    ("api.github.com:8443", "add 8443 to the ports of api.github.com"),
    ("api.github.com:22", "SSH"),
    ("1.1.1.1", "not an address"),
    ("alt.example.org:8443", "Only by proxy"),
]


@pytest.mark.parametrize(("to", "words"), ADVICE)
def test_what_to_do_is_said(to: str, words: str) -> None:
    assert words in advice(ask(to), CALICO.lists["acme"])


def test_adding_what_is_advised_opens_it() -> None:
    lists = {"acme": {"number": 1, "allow": [*ALLOW, {"host": "evil.example.org"}]}}
    assert ask("evil.example.org", of=network(lists)).reachable
