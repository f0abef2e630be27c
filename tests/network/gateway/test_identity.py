"""Who somebody is follows from the door, whatever else comes and goes in the gateway."""

from __future__ import annotations

import pytest

from tests.network.gateway.steps import Steps, answered, connect, request, tunnelled
from tests.network.laboratory.outside import Laboratory, proxy

THEIRS = "only-other.example.org"
ROUNDS = 15


@pytest.mark.parametrize(
    "left",
    ["", "GET / HTTP/1.1\r\n", request(THEIRS), f"CONNECT {THEIRS}:443 HTTP/1.1\r\n\r\n"],
    ids=["nothing", "half a request", "a request", "a CONNECT"],
)
def test_what_a_tenant_leaves_behind_is_of_no_use_to_another(
    laboratory: Laboratory, left: str
) -> None:
    """Envoy hands connections on to the next who comes, unless it is told whose they are."""
    for _ in range(ROUNDS):
        laboratory.ask("leave_behind", port=proxy("other"), count=1, text=left)
        for steps in (answered(THEIRS), connect(f"{THEIRS}:443")):
            seen = laboratory.ask(
                "probe", host="127.0.0.1", port=proxy("acme"), steps=steps, logs=False
            )
            assert seen["said"][0].startswith("HTTP/1.1 403"), seen


def test_two_tenants_that_come_at_once_are_never_mistaken(laboratory: Laboratory) -> None:
    theirs: Steps = tunnelled(f"{THEIRS}:443", THEIRS)
    orders = [
        (tenant, laboratory.begin("probe", host="127.0.0.1", port=proxy(tenant), steps=theirs,
                                  logs=False))
        for _ in range(ROUNDS)
        for tenant in ("acme", "other")
    ]  # fmt: skip
    for tenant, order in orders:
        first = laboratory.result(order)["said"][0]
        assert first.startswith("HTTP/1.1 200" if tenant == "other" else "HTTP/1.1 403"), tenant


def test_every_line_of_the_log_names_the_source_that_it_tells_of(laboratory: Laboratory) -> None:
    probes = [
        laboratory.ask(
            "probe", host="127.0.0.1", port=proxy("acme"), logs=False,
            steps=tunnelled("ok.example.org:443", "ok.example.org"),
        )
        for _ in range(ROUNDS)
    ]  # fmt: skip
    for seen in probes:
        told = [line for line in laboratory.ask("log") if line.get("source") == seen["source"]]
        assert {line["event"] for line in told} >= {"request", "tunnel"}, seen["source"]


@pytest.mark.parametrize("way", ["plain", "inspected"])
def test_what_one_connection_of_a_sandbox_uses_is_used_by_no_other(
    laboratory: Laboratory, way: str
) -> None:
    """Else whatever one leaves unread or unsaid at a host would be the next one's."""
    host = {"plain": "plain.example.org", "inspected": "chat.example.org"}[way]
    before: Steps = [] if way == "plain" else [*connect(f"{host}:443"), ["tls", host]]
    asked: Steps = [["send", f"GET /kept HTTP/1.1\r\nHost: {host}\r\n\r\n"], ["answer"]]
    for _ in range(2):
        seen = laboratory.ask(
            "probe", host="127.0.0.1", port=proxy("acme"), steps=[*before, *asked, *asked],
            logs=False,
        )  # fmt: skip
        connections = [each for each in seen["reached"] if each.startswith("93.")]
        assert len(connections) == 1, "one for this connection's two requests, and its own"
