"""What the verifier says, without a cluster: measures, tokens, and who is a sandbox."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

import pytest
from multidict import CIMultiDict

from components.network.inbound.webhooks import part_document
from corral.settings.inbound import Inbound
from warden.inbound.measures import Rate, Seen
from warden.inbound.parts import parse_part
from warden.inbound.routes_file import routes_document
from warden.inbound.tokens import (
    AUDIENCE,
    KNOWN_SECONDS,
    UNKNOWN_SECONDS,
    Tokens,
    bearer,
    tenant_of,
)
from warden.inbound.verdicts import Router, Verdict, Webhooks
from warden.inbound.world import CLASS_LABEL, World, sandbox_of

NETWORKS = (IPv4Network("192.168.0.0/16"),)
SECRET = b"agreed on with the sender"
NOW = 1_700_000_000.0

GOOD: dict[str, Any] = {
    "authenticated": True,
    "audiences": [AUDIENCE],
    "user": {
        "username": "system:serviceaccount:agents-acme:orchestrator",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:agents-acme"],
    },
}


def user(**fields: Any) -> dict[str, Any]:
    """A good status with another user."""
    return {**GOOD, "user": {**GOOD["user"], **fields}}


@pytest.mark.parametrize(
    "status",
    [
        {},
        {**GOOD, "authenticated": False},
        {**GOOD, "authenticated": "true"},
        {**GOOD, "audiences": []},
        {**GOOD, "audiences": None},
        {**GOOD, "audiences": ["https://kubernetes.default.svc"]},
        user(username="system:serviceaccount:agents-acme:sandbox"),
        user(username="system:serviceaccount:kube-system:orchestrator"),
        user(username="system:serviceaccount:agents-acme:orchestrator:x"),
        user(username="x:system:serviceaccount:agents-acme:orchestrator"),
        user(username="system:serviceaccount:agents-acme:orchestrator\n"),
        user(groups=["system:serviceaccounts:agents-rival"]),
        user(groups=None),
        {**GOOD, "user": None},
    ],
)
def test_nobody_but_an_orchestrator_for_this_audience_is_one(status: Mapping[str, Any]) -> None:
    assert tenant_of(GOOD) == "acme"
    assert tenant_of(status) is None


def test_a_token_stands_alone_and_in_one_header() -> None:
    assert bearer(["Bearer a.b-c_d"]) == "a.b-c_d"
    for wrong in (
        [],
        ["Bearer a", "Bearer a"],
        ["Bearer a, Bearer b"],
        ["Bearer  a"],
        ["Basic a"],
        ["Bearer"],
        ["Bearer a b"],
        ["Bearer " + "a" * 9000],
    ):
        assert bearer(wrong) is None


def test_tokens_are_asked_about_again_after_seconds() -> None:
    asked: list[str] = []
    answers = {"good": GOOD, "bad": {}}

    async def review(token: str) -> Mapping[str, Any]:
        asked.append(token)
        return answers[token]

    async def run() -> None:
        tokens = Tokens(review=review)
        assert await tokens.tenant("good", 0) == "acme"
        assert await tokens.tenant("bad", 0) is None
        assert await tokens.tenant("good", KNOWN_SECONDS - 1) == "acme"
        assert await tokens.tenant("bad", UNKNOWN_SECONDS - 1) is None
        assert asked == ["good", "bad"]
        answers["good"] = {}
        assert await tokens.tenant("good", KNOWN_SECONDS) is None, "its account is gone"
        assert await tokens.tenant("bad", UNKNOWN_SECONDS) is None
        assert asked == ["good", "bad", "good", "bad"]

    asyncio.run(run())


def test_a_rate_is_so_many_at_once_and_then_as_they_come_back() -> None:
    rate = Rate(per_minute=60)
    assert sum(rate.take(0.0) for _ in range(100)) == 60
    assert [rate.take(1.0), rate.take(1.0)] == [True, False]
    assert not rate.take(0.5), "a clock that is set back gives nothing"
    assert sum(rate.take(10_000.0) for _ in range(100)) == 60, "no more is saved up"


def test_what_was_seen_is_forgotten_after_its_time() -> None:
    seen = Seen(seconds=10)
    seen.add(b"a", 0)
    assert seen.has(b"a", 9.9)
    assert not seen.has(b"a", 10)
    assert not seen.has(b"b", 0)
    for number in range(100):
        seen.add(b"%d" % number, float(number))
    assert len(seen._until) <= 11, "memory doesn't grow"


def pod(address: str = "192.168.3.4", *, spec: Any = None, **meta: Any) -> dict[str, Any]:
    """A pod of class `coder` that runs and is ready."""
    labels = {"corral.dev/agent-class": "coder"}
    return {
        "metadata": {"name": "one", "labels": labels, **meta},
        "spec": spec or {},
        "status": {
            "phase": "Running",
            "podIP": address,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def test_a_pod_is_a_sandbox_where_it_runs_with_an_address_of_a_pod() -> None:
    found = sandbox_of(pod(), NETWORKS)
    assert found is not None
    assert (found.address, found.agent_class, found.ready) == ("192.168.3.4", "coder", True)


@pytest.mark.parametrize(
    "wrong",
    [
        pod("169.254.169.254"),
        pod("127.0.0.1"),
        pod("10.0.0.1"),
        pod(""),
        pod("::ffff:192.168.3.4"),
        pod("192.168.3.4:80"),
        pod(spec={"hostNetwork": True}),
        pod(deletionTimestamp="2026-11-23T00:00:00Z"),
        pod(labels={"corral.dev/agent-class": "coder", "corral.dev/quarantine": "true"}),
        {**pod(), "status": {"phase": "Pending", "podIP": "192.168.3.4"}},
        {**pod(), "status": {}},
    ],
)
def test_what_isnt_one_isnt_reached(wrong: dict[str, Any]) -> None:
    assert sandbox_of(wrong, NETWORKS) is None


def known(**hook: Any) -> World:
    """A world with one tenant, one webhook, one sandbox."""
    webhook = {
        "path": "/github",
        "signature": {"header": "X-Sig", "secret": "github"},
        "to": {"class": "coder", "port": 8080},
        **hook,
    }
    inbound = Inbound.model_validate(
        {"webhooks": {"github": webhook}, "router": {"ports": [8080], "per-minute": 3}}
    )
    world = World(networks=NETWORKS)
    world.put(parse_part(part_document("acme", inbound)))
    world.put_secret("acme", "github", SECRET.decode())
    world.put_pod("acme", pod())
    return world


def judged(webhooks: Webhooks, body: bytes = b"{}", **changes: Any) -> Verdict:
    """A signed webhook, or what differs from it."""

    async def read(most: int) -> bytes:
        return body[: most + 1]

    signature = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    request: dict[str, Any] = {
        "method": "POST",
        "target": "/acme/github",
        "headers": {"X-Sig": signature},
    }
    request |= changes
    return asyncio.run(
        webhooks.judge(
            method=request["method"],
            target=request["target"],
            headers=CIMultiDict(request["headers"]),
            body=read,
        )
    )


def test_the_verifier_itself_holds_to_the_list() -> None:
    """Envoy's routes are the first wall, and this one doesn't count on them."""
    webhooks = Webhooks(world=known(**{"body-limit": "1Ki"}), clock=lambda: NOW)
    good = judged(webhooks)
    assert (good.status, good.destination, good.tenant) == (200, "192.168.3.4:8080", "acme")
    for changes, status in (
        ({"target": "/acme/github?x"}, 404),
        ({"target": "/acme/github/"}, 404),
        ({"target": "/other/github"}, 404),
        ({"method": "PUT"}, 404),
        ({"method": "post"}, 404),
        ({"body": b"x" * 1025}, 413),
        ({"headers": {}}, 401),
    ):
        assert judged(webhooks, **changes).status == status, changes


def test_a_webhook_that_nobody_could_take_may_come_again() -> None:
    world = known()
    world.put_pod("acme", pod(), gone=True)
    webhooks = Webhooks(world=world, clock=lambda: NOW)
    assert judged(webhooks).status == 503
    world.put_pod("acme", pod())
    assert judged(webhooks).status == 200
    assert judged(webhooks).status == 409


def test_a_webhook_goes_to_one_sandbox_after_the_other() -> None:
    world = known()
    for number in range(3):
        world.put_pod("acme", pod(f"192.168.0.{number}", name=f"pod-{number}"))
    unready = pod("192.168.0.9", name="unready")
    unready["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    world.put_pod("acme", unready)
    world.put_pod("acme", pod("192.168.0.8", name="other", labels={CLASS_LABEL: "other"}))
    webhooks = Webhooks(world=world, clock=lambda: NOW)
    reached = {judged(webhooks, b"%d" % each).destination for each in range(10)}
    assert reached == {f"192.168.{end}:8080" for end in ("3.4", "0.0", "0.1", "0.2")}


def test_while_the_api_server_is_away_nobody_comes_in() -> None:
    async def review(_token: str) -> Mapping[str, Any]:
        raise OSError("away")

    router = Router(world=known(), tokens=Tokens(review=review), clock=lambda: 0.0)
    headers = CIMultiDict({"Authorization": "Bearer a", "X-Sandbox-ID": "one"})
    assert asyncio.run(router.judge(headers)).status == 503


def test_an_owner_has_a_measure_too() -> None:
    async def review(_token: str) -> Mapping[str, Any]:
        return GOOD

    router = Router(world=known(), tokens=Tokens(review=review), clock=lambda: 0.0)
    headers = CIMultiDict(
        {"Authorization": "Bearer a", "X-Sandbox-ID": "one", "X-Sandbox-Port": "8080"}
    )

    async def run() -> list[int]:
        return [(await router.judge(headers)).status for _ in range(5)]

    assert asyncio.run(run()) == [200, 200, 200, 429, 429]


def test_routes_of_a_closed_tenant_arent_written() -> None:
    world = known()
    document = routes_document("hooks.example.org", world.routes())
    assert "/acme/github" in str(document)
    world.close("acme", closed=True)
    closed = routes_document("hooks.example.org", world.routes())
    assert "/acme/github" not in str(closed)
    assert closed["version_info"] != document["version_info"]
