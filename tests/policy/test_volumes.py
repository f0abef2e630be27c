"""Claims of volumes: one that is made for its claim, and the ways to take another."""

from __future__ import annotations

from typing import Any

import pytest

from components.agents.sandbox_pod import workspace_claim
from corral.policy.admission import judge
from corral.policy.rule import Facts
from tests.components.examples import agent_class
from tests.policy.pods import changed, namespace, parameters

BINDER = "system:serviceaccount:kube-system:persistent-volume-binder"
TAKEN: dict[str, tuple[tuple[str, ...], Any]] = {
    "spec.volumeName": (("spec", "volumeName"), "of-globex"),
    "spec.selector": (("spec", "selector"), {"matchLabels": {"tenant": "globex"}}),
    "spec.storageClassName": (("spec", "storageClassName"), ""),
    "spec.dataSourceRef.namespace": (
        ("spec", "dataSourceRef"),
        {"kind": "PersistentVolumeClaim", "name": "x", "namespace": "agents-globex"},
    ),
}


def claim(**changes: Any) -> Any:
    agent = agent_class(workspace={"kind": "local", "size": "20Gi"})
    return workspace_claim(tenant="acme", agent_class=agent, name="one", **changes)


def fields(document: Any, **facts: Any) -> list[str]:
    """Fields that rules name."""
    known = Facts(
        resource="persistentvolumeclaims",
        namespace=namespace(),
        parameters=parameters(),
        **facts,
    )
    return [violation.field for violation in judge(document, known)]


@pytest.mark.parametrize("snapshot", ["", "one-at-noon"])
def test_a_workspaces_claim_breaks_no_rule(snapshot: str) -> None:
    assert fields(claim(snapshot=snapshot)) == []


@pytest.mark.parametrize("field", TAKEN)
def test_a_volume_that_is_there_already_is_refused(field: str) -> None:
    path, value = TAKEN[field]
    taking = changed(claim(), [(path, value)])
    assert fields(taking) == [field]
    assert fields(taking, operation="UPDATE", old=claim()) == [field]
    assert fields(taking, operation="UPDATE", old=taking) == [], "what is bound may be labelled"


def test_a_raw_device_is_refused_whoever_claims_it() -> None:
    raw = changed(claim(), [(("spec", "volumeMode"), "Block")])
    assert fields(raw) == ["spec.volumeMode"]
    assert fields(raw, administrator=True) == ["spec.volumeMode"]


def test_whoever_finds_volumes_for_claims_writes_their_names_there() -> None:
    bound = changed(claim(), [(("spec", "volumeName"), "pvc-1")])
    assert fields(bound, operation="UPDATE", old=claim(), user=BINDER) == []
    assert fields(bound, operation="UPDATE", old=claim(), user="acme") == ["spec.volumeName"]
