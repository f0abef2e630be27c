"""Attempts to steer isolation: by a tenant as it is, and by one to whom RBAC gave too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from components.agents.sandbox_pod import workspace_claim
from corral.policy.policies import NODE_VERIFICATION
from corral.policy.rules import RULES, rules_of
from corral.policy.rules.images import BY_TAG
from corral.settings.tenants import NAMESPACE_PREFIX
from tests.components.examples import agent_class
from tests.policy.cases import BAD, Wall
from tests.policy.pods import changed, good_pod
from tests.proof.attacks import ATTACKS, GATED, LIVE, Attack
from tests.proof.grounds import TOGETHER
from tests.proof.server import Server, pods

pytestmark = pytest.mark.cluster

ActingAs = Callable[[str, str], Server]


@pytest.fixture(scope="module", autouse=True)
def victims(server: Server) -> Iterator[None]:
    """A pod that waits for its scheduling gate."""
    gated = changed(
        good_pod("worker", "gated"), [(("spec", "schedulingGates"), [{"name": "example.org/wait"}])]
    )
    assert server.create(pods(TOGETHER), gated, dry_run=False).status == 201
    yield
    server.api.delete(GATED)


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


def test_every_rule_was_tried_on_the_api_server() -> None:
    tried = {case.rule for case in BAD if Wall.POLICIES in case.walls}
    tried |= {attack.says.strip("[]") for attack in ATTACKS}
    unseen = {case.rule for case in BAD if case.unseen}
    by_tag = {BY_TAG.id}  # in place of digests; tried in test_enforcement.py
    nodes = {rule.id for rule in rules_of(NODE_VERIFICATION)}  # tried in test_verification.py
    assert {rule.id for rule in RULES} <= tried | unseen | by_tag | nodes


def test_nothing_was_changed_by_all_that(server: Server) -> None:
    pod = server.api.get(LIVE)
    assert pod["metadata"]["labels"]["corral.dev/agent-class"] == "worker"
    assert "ephemeralContainers" not in pod["spec"]


@pytest.mark.parametrize("snapshot", ["", "one-at-noon"])
def test_a_workspace_passes_admission_and_meets_the_quota_of_its_kind(
    overpowered: Server, snapshot: str
) -> None:
    """Quotas judge last: what they refuse, no policy did. This tenant's classes have none."""
    claim = workspace_claim(
        tenant=TOGETHER.removeprefix(NAMESPACE_PREFIX),
        agent_class=agent_class(workspace={"kind": "local", "size": "1Gi"}),
        name="one",
        snapshot=snapshot,
    )
    verdict = overpowered.create(f"/api/v1/namespaces/{TOGETHER}/persistentvolumeclaims", claim)
    assert "[volume-" not in verdict.message
    assert "exceeded quota: corral-agents" in verdict.message
    assert "corral-local.storageclass.storage.k8s.io/requests.storage=1Gi" in verdict.message
