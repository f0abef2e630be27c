"""The policy pack: by its own host's proxies, and under the real Pulumi engine."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pulumi_policy import (
    EnforcementLevel,
    PolicyResource,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.policy import PolicyResourceOptions, ResourceValidationArgs
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy

from corral.policy.check import judge_all
from corral.policy.pack import pack_policies, plain
from corral.policy.program import PLAN_RULES, RESOURCE_RULES
from tests.policy.pods import changed
from tests.policy.program.plans import entry, good_plan, platform_workload
from tests.project_copy import copy_project

ENGINE = ("pulumi", "pulumi-language-python", "pulumi-resource-kubernetes")
MISSING = [program for program in ENGINE if shutil.which(program) is None]

Told = list[tuple[str, str]]


def _as_the_host_has_it(value: Any) -> Any:
    """Every number a float, as protobuf's structs have it."""
    if isinstance(value, dict):
        return {key: _as_the_host_has_it(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_the_host_has_it(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _options() -> PolicyResourceOptions:
    return PolicyResourceOptions(
        protect=False,
        ignore_changes=[],
        delete_before_replace=None,
        aliases=[],
        additional_secret_outputs=[],
        custom_timeouts=None,  # type: ignore[arg-type] # the host passes an object of its own
        parent="",
    )


def _judged(entries: list[dict[str, Any]]) -> tuple[Told, list[str]]:
    """What the pack reports (policy, URN), and the policies that can't tell yet."""
    told: Told = []
    unknown: list[str] = []
    proxied = [(e, unknown_checking_proxy(_as_the_host_has_it(e["inputs"]))) for e in entries]
    resources = {
        e["urn"]: PolicyResource(
            e["type"], props, e["urn"], e["name"], _options(), None, None, [], {}
        )
        for e, props in proxied
    }
    for e, _ in proxied:
        needed = [resources[urn] for urn in e["dependencies"]]
        resources[e["urn"]].dependencies.extend(needed)
    for policy in pack_policies():

        def report(_: str, urn: str | None = None, name: str = policy.name) -> None:
            told.append((name, urn or ""))

        try:
            if isinstance(policy, ResourceValidationPolicy):
                for e, props in proxied:
                    args = ResourceValidationArgs(
                        e["type"], props, e["urn"], e["name"], _options(), None, {}
                    )
                    policy.validate(args, report)
            elif isinstance(policy, StackValidationPolicy):
                policy.validate(StackValidationArgs(list(resources.values()), {}), report)
        except UnknownValueError:
            unknown.append(policy.name)
    return told, unknown


def test_every_rule_is_in_the_pack_but_what_only_plans_show() -> None:
    names = {policy.name for policy in pack_policies()}
    rules = {rule.id for rule in (*RESOURCE_RULES, *PLAN_RULES)}
    assert rules - names == {"plain-secret"}
    assert len(names) == len(pack_policies()), "the host wants each name once"


def test_every_policy_blocks_and_says_how_to_mend_it() -> None:
    for policy in pack_policies():
        assert policy.enforcement_level is EnforcementLevel.MANDATORY
        assert policy.remediation_steps and policy.description


def test_a_good_plan_passes_the_pack() -> None:
    assert _judged(good_plan()) == ([], [])


def test_the_pack_and_the_offline_judge_say_the_same() -> None:
    spec = ("spec", "template", "spec")
    workload = changed(
        platform_workload(),
        [
            ((*spec, "securityContext", "runAsUser"), 0),
            ((*spec, "terminationGracePeriodSeconds"), 86_400),
            ((*spec, "hostPID"), True),
        ],
    )
    plan = [e for e in good_plan() if e["name"] not in ("warden", "corral-default-deny", "token")]
    plan = [e for e in plan if not e["type"].endswith("RoleBinding")]
    plan.append(entry(workload))
    told, unknown = _judged(plan)
    assert unknown == []
    assert sorted(told) == sorted((f.rule, f.urn) for f in judge_all(plan))
    assert {rule for rule, _ in told} == {"uid", "host-namespaces", "tenant-network"}


def test_what_isnt_known_in_a_preview_is_noted_and_the_rest_still_judged() -> None:
    spec = ("spec", "template", "spec")
    workload = changed(
        platform_workload(),
        [((*spec, "containers", 0, "image"), UNKNOWN_STRING_VALUE), ((*spec, "hostPID"), True)],
    )
    told, unknown = _judged([entry(workload)])
    assert {rule for rule, _ in told} == {"host-namespaces"}
    assert unknown == ["image-digest"]


def test_whole_numbers_are_whole_again() -> None:
    read = plain(unknown_checking_proxy({"a": [10001.0, 0.5], "b": {"c": True}}))
    assert read == {"a": [10001, 0.5], "b": {"c": True}}
    assert isinstance(read["a"][0], int)


BAD_PROGRAM = """
import pulumi
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.rbac.v1 import ClusterRoleBinding

GROUP = "rbac.authorization.k8s.io"
Namespace("open", metadata={"name": "agents-open", "labels": {"corral.dev/tenant": "open"}})
ClusterRoleBinding(
    "everything",
    metadata={"name": "everything"},
    role_ref={"api_group": GROUP, "kind": "ClusterRole", "name": "cluster-admin"},
    subjects=[{"kind": "Group", "name": "someone", "api_group": GROUP}],
)
Deployment(
    "root",
    metadata={"name": "root", "namespace": "corral-system"},
    spec={
        "selector": {"match_labels": {"app": "root"}},
        "template": {
            "metadata": {"labels": {"app": "root"}},
            "spec": {
                "security_context": {"run_as_user": 0},
                "containers": [{"name": "root", "image": "root:latest"}],
            },
        },
    },
)
"""


@pytest.mark.engine
@pytest.mark.skipif(bool(MISSING), reason=f"no Pulumi engine: {', '.join(MISSING)} not on PATH")
class TestUnderPulumi:
    """`pulumi preview --policy-pack policies`, with the pack in its own folder and process."""

    def test_the_shipped_stack_passes(self, tmp_path: Path) -> None:
        result = _preview(copy_project(tmp_path / "project"), tmp_path)
        assert result.returncode == 0, result.stdout + result.stderr
        assert "corral@v0.1.0" in result.stdout

    def test_a_bad_program_is_stopped_with_every_rule_it_breaks(self, tmp_path: Path) -> None:
        project = copy_project(tmp_path / "project")
        main = project / "__main__.py"
        main.write_text(main.read_text() + BAD_PROGRAM)
        result = _preview(project, tmp_path)
        assert result.returncode != 0
        told = result.stdout + result.stderr
        for rule in (
            "namespace-pod-security",
            "tenant-network",
            "tenant-quota",
            "cluster-admin",
            "uid",
            "image-digest",
            "memory-limit",
        ):
            assert f"[{rule}]" in told, told
        # The engine interrupts the program, which may show; the pack itself fails nowhere.
        assert "corral/policy/" not in told


def _preview(project: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    state = folder / "state"
    state.mkdir()
    environment = {
        **os.environ,
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "not a secret",
    }
    pulumi = str(shutil.which("pulumi"))
    for arguments in (
        ["stack", "init", "local"],
        ["preview", "--policy-pack", "policies", "--stack", "local"],
    ):
        result = subprocess.run(
            [pulumi, *arguments, "--non-interactive"],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    return result
