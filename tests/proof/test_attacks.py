"""Attempts to steer isolation: by a tenant as it is, and by one to whom RBAC gave too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.policy.pods import changed, good_pod
from tests.proof.attacks import ATTACKS, GATED, LIVE, Attack
from tests.proof.conftest import apply, until
from tests.proof.grounds import TOGETHER
from tests.proof.sandbox_kinds import definitions
from tests.proof.server import Server, pods

pytestmark = pytest.mark.cluster

ActingAs = Callable[[str, str], Server]


@pytest.fixture(scope="module", autouse=True)
def victims(server: Server) -> Iterator[None]:
    """A pod that waits, the sandbox kinds, and everything else that is attacked."""
    gated = changed(
        good_pod("worker", "gated"), [(("spec", "schedulingGates"), [{"name": "example.org/wait"}])]
    )
    assert server.create(pods(TOGETHER), gated, dry_run=False).status == 201
    made = [d for d in definitions() if server.api.find(_path(d)) is None]
    for definition in made:
        apply(server.api, definition)
    for group in ("agents.x-k8s.io", "extensions.agents.x-k8s.io"):
        until(partial(_served, server, group), group)
    yield
    for definition in made:
        server.api.delete(_path(definition))
    server.api.delete(GATED)


def _served(server: Server, group: str) -> bool:
    return server.api.find(f"/apis/{group}/v1beta1") is not None


def _path(definition: dict[str, dict[str, str]]) -> str:
    name = definition["metadata"]["name"]
    return f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"


@pytest.fixture(scope="module")
def overpowered(acting_as: ActingAs) -> Server:
    return acting_as(TOGETHER, "overpowered")


@pytest.fixture(scope="module")
def orchestrator(acting_as: ActingAs) -> Server:
    return acting_as(TOGETHER, "orchestrator")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_admission_refuses_what_too_many_rights_would_allow(
    overpowered: Server, attack: Attack
) -> None:
    verdict = attack.act(overpowered)
    assert verdict.refused, verdict.message or verdict.status
    assert attack.says in verdict.message


@pytest.mark.parametrize(
    "attack", [a for a in ATTACKS if "resizing" not in a.name], ids=lambda attack: attack.name
)
def test_the_tenants_own_orchestrator_gets_nowhere(orchestrator: Server, attack: Attack) -> None:
    verdict = attack.act(orchestrator)
    if attack.claimed:
        assert attack.says in verdict.message
    else:
        assert verdict.status == 403, verdict.message
        assert "cannot" in verdict.message, verdict.message


def test_nothing_was_changed_by_all_that(server: Server) -> None:
    pod = server.api.get(LIVE)
    assert pod["metadata"]["labels"]["corral.dev/agent-class"] == "worker"
    assert "ephemeralContainers" not in pod["spec"]
