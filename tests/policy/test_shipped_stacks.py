"""Every rule over every resource that the shipped stacks register."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from corral.commands.offline import planned
from corral.commands.stacks import open_stack
from corral.policy.check import judge_all
from corral.policy.policies import POLICIES
from tests.components.examples import every_part_value
from tests.project_copy import copy_project

ROOT = Path(__file__).parents[2]
STACKS = sorted(file.stem.removeprefix("Pulumi.") for file in ROOT.glob("stacks/Pulumi.*.yaml"))


def _plan(stack: str) -> list[dict[str, Any]]:
    resources = planned(open_stack(stack), charts=None, unexpanded=lambda _reason: None)
    return [resource.as_document() for resource in resources]


@pytest.mark.parametrize("stack", STACKS)
def test_a_shipped_stack_breaks_no_rule(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    plan = _plan(stack)
    names = {resource["inputs"].get("metadata", {}).get("name") for resource in plan}
    assert {policy.name for policy in POLICIES} <= names, "a plan of nothing would prove nothing"
    assert judge_all(plan) == []


def test_a_stack_with_every_part_breaks_none_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ways in on a cluster without Calico, which no shipped stack has, and what observes them."""
    project = copy_project(tmp_path / "project")
    settings = {"corral:settings": every_part_value()}
    file = project / "stacks" / "Pulumi.parts.yaml"
    file.write_text(yaml.safe_dump({"config": settings}), encoding="utf-8")
    monkeypatch.chdir(project)
    plan = _plan("parts")
    parts = {each["type"] for each in plan if each["type"].startswith("corral:")}
    assert {"corral:network:Inbound", "corral:observability:Observability"} <= parts
    assert judge_all(plan) == []


@pytest.mark.parametrize("stack", STACKS)
def test_a_shipped_stack_without_one_of_its_walls_breaks_a_rule(
    stack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    plan = _plan(stack)
    for kind in (
        "NetworkPolicy",
        "LimitRange",
        "ResourceQuota",
        "ValidatingAdmissionPolicyBinding",
    ):
        without = [resource for resource in plan if not resource["type"].endswith(f":{kind}")]
        assert judge_all(without), f"nobody misses {kind}"
