"""What ships for production, with a package mirror for a tenant: every rule over all of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.network.egress import node_agent
from components.network.packages.pods import mirror_service
from components.network.policies.places import EGRESS_NAMESPACE
from corral.commands.offline import planned
from corral.commands.stacks import open_stack
from corral.policy.check import Finding, judge_all
from corral.policy.program.exemptions import PREFIX, exempt
from tests.project_copy import copy_project

MIRROR = mirror_service("acme")
ALL = {"registries": ["pypi", "npm", "go"], "cache": "20Gi"}

AGENT = {"host-namespaces", "capabilities-add", "probe-hosts", "non-root", "uid", "gid"}
"""What the agent on nodes can't keep."""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    project = copy_project(tmp_path_factory.mktemp("mirrors") / "project")
    file = project / "stacks" / "Pulumi.prod.yaml"
    stack = yaml.safe_load(file.read_text(encoding="utf-8"))
    tenant = stack["config"]["corral:settings"]["tenants"]["acme"]
    assert "packages" not in tenant["egress"], "or nothing is varied here"
    tenant["egress"]["packages"] = ALL
    file.write_text(yaml.safe_dump(stack))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        found = planned(open_stack("prod"), charts=None, unexpanded=lambda _reason: None)
        return [resource.as_document() for resource in found]


def workload(plan: list[dict[str, Any]], namespace: str, name: str) -> dict[str, Any]:
    """A Deployment or a DaemonSet, as it is registered."""
    found: dict[str, Any]
    [found] = [
        each["inputs"]
        for each in plan
        if each["type"].rpartition(":")[2] in ("Deployment", "DaemonSet")
        and each["inputs"]["metadata"].get("namespace") == namespace
        and each["inputs"]["metadata"]["name"] == name
    ]
    return found


def test_no_rule_is_broken(plan: list[dict[str, Any]]) -> None:
    assert workload(plan, EGRESS_NAMESPACE, MIRROR)
    assert workload(plan, node_agent.NAMESPACE, node_agent.NAME)
    assert judge_all(plan) == []


def of(plan: list[dict[str, Any]], namespace: str, name: str) -> set[str]:
    """Rules that it is exempt from."""
    found = workload(plan, namespace, name)
    template = found["spec"]["template"]
    named = {
        key.removeprefix(PREFIX)
        for document in (found, template)
        for key in document["metadata"].get("annotations", {})
        if key.startswith(PREFIX)
    }
    assert all(exempt(rule, found, template) for rule in named), "each says why"
    return named


def test_the_mirror_is_exempt_from_nothing_but_for_the_image_s_digest(
    plan: list[dict[str, Any]],
) -> None:
    assert of(plan, EGRESS_NAMESPACE, MIRROR) <= {"image-digest"}


def test_the_agent_is_exempt_from_what_it_needs(plan: list[dict[str, Any]]) -> None:
    assert of(plan, node_agent.NAMESPACE, node_agent.NAME) <= {*AGENT, "image-digest"}


def without_reasons(plan: list[dict[str, Any]], namespace: str, name: str) -> list[Finding]:
    """What is found where that workload says why of nothing."""
    found = workload(plan, namespace, name)
    template = found["spec"]["template"]
    kept = template["metadata"]["annotations"]
    template["metadata"]["annotations"] = {}
    try:
        return judge_all(plan)
    finally:
        template["metadata"]["annotations"] = kept


@pytest.mark.parametrize(
    ("namespace", "name"),
    [(EGRESS_NAMESPACE, MIRROR), (node_agent.NAMESPACE, node_agent.NAME)],
)
def test_and_each_of_these_rules_is_one_that_it_breaks(
    plan: list[dict[str, Any]], namespace: str, name: str
) -> None:
    rules = {each.rule for each in without_reasons(plan, namespace, name)}
    assert rules == of(plan, namespace, name), "no reason stands for nothing"


BROKEN: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "privileged": (("containers", 0, "securityContext", "privileged"), True),
    "capabilities-add": (
        ("containers", 0, "securityContext", "capabilities", "add"),
        ["NET_ADMIN"],
    ),
    "host-namespaces": (("hostNetwork",), True),
    "volume-types": (("volumes", 0), {"name": "config", "hostPath": {"path": "/etc"}}),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_mirror_that_is_not_as_it_should_be_is_found(
    plan: list[dict[str, Any]], rule: str
) -> None:
    path, value = BROKEN[rule]
    here: Any = workload(plan, EGRESS_NAMESPACE, MIRROR)["spec"]["template"]["spec"]
    for key in path[:-1]:
        here = here[key]
    had = isinstance(here, list) or path[-1] in here
    before = here[path[-1]] if had else None
    here[path[-1]] = value
    try:
        assert rule in {each.rule for each in judge_all(plan)}
    finally:
        if had:
            here[path[-1]] = before
        else:
            del here[path[-1]]
