"""Each wall taken out of the configuration: what then gets through, or which wall catches it.

A wall that nothing misses would be no wall.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.network.gateway.attacks import attacks
from tests.network.gateway.judging import LOOKED_UP, THROUGH, outcome, tried
from tests.network.gateway.steps import answered, asking
from tests.network.laboratory.inside import VARIANTS_SHIFT
from tests.network.laboratory.outside import Laboratory, proxy
from tests.network.laboratory.walls import WALLS

ATTACKS = {attack.name: attack for attack in attacks()}

FALLS: Mapping[str, Mapping[str, str]] = {
    "routes": {
        "a plain request to an address: private": "addresses",
        "a plain request to an address: metadata": "addresses",
        "a plain request to an address: public": THROUGH,
        "a plain request to an address: metadata decimal": LOOKED_UP,
        "TLS for somebody else's host": LOOKED_UP,
        "data in names, by TLS": LOOKED_UP,
    },
    "one label": {
        "TLS for two labels for a wildcard": LOOKED_UP,
        "a plain request to two labels for a wildcard of port 80": LOOKED_UP,
        "fronting: two labels of a wildcard inside": LOOKED_UP,
    },
    "same name": {
        "server name unlisted in a tunnel to a host that is listed": THROUGH,
        "server name none in a tunnel to a host that is listed": THROUGH,
        "server name with a dot at its end": THROUGH,
        "server name of one label in a tunnel to another of the wildcard": THROUGH,
    },
    "lookup of what was decided": {"data in names that the gateway would look up": LOOKED_UP},
    "tls only": {
        "SSH in a tunnel": "same name",
        "plain HTTP in a tunnel": "same name",
        "two server names in a tunnel": "same name",
        "SSH where TLS comes in": "routes",
    },
    "addresses": {
        "a listed name that leads to metadata, plain": "address rule",
        "a listed name that leads to metadata, by CONNECT": "address rule",
        "an inspected name that leads to metadata": "address rule",
        "a listed name with a dead address before a private one": THROUGH,
    },
    "address rule": {
        # The second wall alone: nothing comes as far as it while the first one stands.
        "a listed name that leads to metadata, plain": "addresses",
        "an inspected name that leads to metadata": "addresses",
    },
    "addresses and address rule": {
        "a listed name that leads to metadata, plain": THROUGH,
        "a listed name that leads to metadata, by CONNECT": THROUGH,
        "an inspected name that leads to metadata": THROUGH,
        "a listed name that leads to loopback, plain": THROUGH,
        "a listed name that leads to this-host, plain": THROUGH,
    },
    "own addresses": {
        "a listed name that leads to own, plain": THROUGH,
        "a listed name that leads to own, by CONNECT": THROUGH,
        "an inspected name that leads to own": THROUGH,
    },
    "IPv4 alone": {
        "a listed name that leads to v6-loopback, plain": "addresses",
        "a listed name that leads to v6-nat64, plain": "addresses",
        "a listed name that leads to v6-mapped, plain": "addresses",
    },
    "IPv4 alone and addresses": {
        "a listed name that leads to v6-loopback, plain": THROUGH,
        "a listed name that leads to v6-nat64, plain": THROUGH,
        "a listed name that leads to v6-6to4, plain": THROUGH,
        "a listed name that leads to v6-metadata, plain": THROUGH,
    },
    "codec": {"HTTP/2 without asking": THROUGH},
    "header rewriting": {
        "another tenant's host with the tenant's header": THROUGH,
        "x-corral-tenant sent on to an inspected host": THROUGH,
        "X-HTTP-Method-Override: DELETE inside": THROUGH,
        "X-Original-URL: /admin inside": THROUGH,
        "retries that multiply a request": THROUGH,
    },
    "header removal": {
        "X-Forwarded-For sent on to a host": THROUGH,
        "an override by plain HTTP": THROUGH,
    },
    "underscores": {"the tenant's header with underscores": "routes"},
    "upgrades": {"an upgrade to websocket": THROUGH, "a WebSocket that isn't allowed": THROUGH},
    "no tunnels by upgrade": {"an upgrade to CONNECT": THROUGH},
    "methods": {
        "method DELETE": THROUGH,
        "a method that isn't allowed, by plain HTTP": THROUGH,
    },
    "path prefixes": {
        "path '/admin'": THROUGH,
        "/admin of an inspected host by plain HTTP": THROUGH,
    },
    "path evasions": {
        "path '/v1/.%2e;/admin'": THROUGH,
        "path '/v1/..%3b/admin'": THROUGH,
        "path '/v1/%252e%252e/admin'": THROUGH,
    },
    "normal paths": {
        "path '/v1/../admin'": THROUGH,
        "path '/v1/%2e%2e/admin'": THROUGH,
        "path '/v1/..%2fadmin'": THROUGH,
        "path '/v1/..\\\\admin'": THROUGH,
    },
    "inspected hosts": {
        "fronting: Host evil.example.org inside": LOOKED_UP,
        "fronting: Host 169.254.169.254 inside": "addresses",
    },
    "credential": {
        "a request whose credential isn't there": THROUGH,
        "a credential of the sandbox's own": THROUGH,
    },
    "certificate": {
        "somebody in the way of forged.example.org": THROUGH,
        "somebody in the way of selfmade.example.org": THROUGH,
    },
}
"""What becomes of attacks where a wall is missing. Those whose wall stands are as before."""


LEFT = ("", asking("only-other.example.org:443"))
ROUNDS = 200
"""It depends on who comes when: each round has a chance of one in five or so."""


def shift(wall: str) -> int:
    """What is added to tenants' numbers in the gateway without that wall."""
    return VARIANTS_SHIFT * (sorted(WALLS).index(wall) + 1)


@pytest.mark.parametrize("wall", FALLS)
def test_a_missing_wall_is_missed(laboratory: Laboratory, wall: str) -> None:
    laboratory.ask("without", wall=wall)
    try:
        for name, then in FALLS[wall].items():
            told = then not in (THROUGH, LOOKED_UP)
            seen = tried(laboratory, ATTACKS[name], without=wall, shift=shift(wall), logs=told)
            assert outcome(ATTACKS[name], seen) == then, (name, seen)
    finally:
        laboratory.ask("again", wall=wall)


def test_without_knowing_whose_a_connection_is_one_tenant_is_another(
    laboratory: Laboratory,
) -> None:
    wall = "whose connections"
    laboratory.ask("without", wall=wall)
    try:
        if not any(_mistaken(laboratory, wall, left) for left in LEFT * ROUNDS):
            pytest.skip(f"the moment didn't come in {len(LEFT * ROUNDS)} tries")
    finally:
        laboratory.ask("again", wall=wall)


def _mistaken(laboratory: Laboratory, wall: str, left: str) -> bool:
    """Whether the one tenant was served as the other, by what that one had left behind."""
    laboratory.ask("leave_behind", port=proxy("other", shift(wall)), count=1, text=left)
    seen = laboratory.ask(
        "probe", host="127.0.0.1", port=proxy("acme", shift(wall)), without=wall,
        steps=answered("only-other.example.org"), logs=False,
    )  # fmt: skip
    return "HTTP/1.1 200" in "".join(seen["said"])


def test_every_wall_was_taken_out_and_missed() -> None:
    assert {*FALLS, "whose connections"} == set(WALLS)
    for wall, falls in FALLS.items():
        if wall != "address rule":
            assert any(then != ATTACKS[name].wall for name, then in falls.items()), wall
