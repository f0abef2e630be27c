"""Rules about what the program registers: a good plan breaks none, each change breaks its own."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from corral.policy.check import Finding, judge_all
from corral.policy.program import PLAN_RULES, RESOURCE_RULES, purchases
from corral.policy.program.workloads import POD_RULES
from tests.policy.pods import REMOVED, Path
from tests.policy.program.plans import Plan, broken, entry, find, good_plan, platform_workload

_POD = ("spec", "template", "spec")
_TEMPLATE = ("spec", "podTemplate", "spec")
_ENFORCE = "pod-security.kubernetes.io/enforce"

# rule, kind, name, path, value
BROKEN: list[tuple[str, str, str, Path, Any]] = [
    (
        "namespace-pod-security",
        "Namespace",
        "agents-acme",
        ("metadata", "labels", _ENFORCE),
        "baseline",
    ),
    (
        "namespace-pod-security",
        "Namespace",
        "agents-acme",
        ("metadata", "labels", _ENFORCE),
        REMOVED,
    ),
    (
        "namespace-pod-security",
        "Namespace",
        "agents-acme",
        ("metadata", "labels", f"{_ENFORCE}-version"),
        "latest",
    ),
    (
        "namespace-name",
        "Namespace",
        "agents-acme",
        ("metadata", "labels", "corral.dev/tenant"),
        "globex",
    ),
    ("tenant-quota", "ResourceQuota", "corral-agents", ("spec", "hard", "limits.memory"), REMOVED),
    ("tenant-quota", "ResourceQuota", "corral-agents", ("metadata", "namespace"), "elsewhere"),
    ("tenant-limits", "LimitRange", "corral-sandbox", ("spec", "limits"), []),
    (
        "tenant-network",
        "NetworkPolicy",
        "corral-default-deny",
        ("spec", "policyTypes"),
        ["Ingress"],
    ),
    ("tenant-network", "NetworkPolicy", "corral-default-deny", ("spec", "egress"), [{}]),
    (
        "tenant-network",
        "NetworkPolicy",
        "corral-default-deny",
        ("spec", "podSelector"),
        {"matchLabels": {"a": "b"}},
    ),
    (
        "tenant-parameters",
        "ServiceAccount",
        "agents-acme/sandbox",
        ("metadata", "annotations"),
        REMOVED,
    ),
    ("probe-room", "ResourceQuota", "corral-nothing-runs-here", ("spec", "hard", "pods"), "1"),
    ("tenant-rights", "ClusterRole", "corral-orchestrator", ("rules", 0, "verbs"), ["*"]),
    ("tenant-rights", "ClusterRole", "corral-orchestrator", ("rules", 0, "resources"), ["*"]),
    ("tenant-rights", "ClusterRole", "corral-reader", ("rules", 0, "verbs"), ["get", "patch"]),
    (
        "tenant-rights",
        "ClusterRole",
        "corral-orchestrator",
        ("rules", 0, "resources", 0),
        "secrets",
    ),
    ("tenant-rights", "RoleBinding", "corral-orchestrator", ("roleRef", "name"), "cluster-admin"),
    ("tenant-rights", "RoleBinding", "corral-reader", ("roleRef", "name"), "edit"),
    ("cluster-admin", "RoleBinding", "corral-reader", ("roleRef", "name"), "cluster-admin"),
    (
        "rights-for-everybody",
        "RoleBinding",
        "corral-reader",
        ("subjects", 0, "name"),
        "system:authenticated",
    ),
    (
        "rights-for-everybody",
        "RoleBinding",
        "corral-reader",
        ("subjects", 0, "name"),
        "system:serviceaccounts:agents-acme",
    ),
    (
        "account-tokens",
        "ServiceAccount",
        "orchestrator",
        ("automountServiceAccountToken",),
        REMOVED,
    ),
    ("account-tokens", "ServiceAccount", "orchestrator", ("automountServiceAccountToken",), True),
    ("runtime-table", "RuntimeClass", "gvisor", ("handler",), "runc"),
    ("runtime-table", "RuntimeClass", "gvisor", ("overhead", "podFixed", "memory"), "1Mi"),
    ("runtime-table", "RuntimeClass", "gvisor", ("overhead",), REMOVED),
    ("runtime-table", "RuntimeClass", "gvisor", ("scheduling", "nodeSelector"), {}),
    (
        "runtime-table",
        "RuntimeClass",
        "gvisor",
        ("scheduling", "tolerations", 1),
        {"operator": "Exists"},
    ),
    ("runtime-table", "RuntimeClass", "gvisor", ("metadata", "name"), "fastest"),
    ("plain-secret", "Secret", "token", ("stringData", "token"), "hunter2"),
    ("plain-secret", "Secret", "token", ("data",), {"token": "aHVudGVyMg=="}),
    (
        "admission-denies",
        "ValidatingAdmissionPolicy",
        "corral-sandbox-host",
        ("spec", "failurePolicy"),
        "Ignore",
    ),
    (
        "admission-denies",
        "ValidatingAdmissionPolicyBinding",
        "corral-sandbox-host",
        ("spec", "validationActions"),
        ["Warn"],
    ),
    (
        "admission-denies",
        "ValidatingAdmissionPolicyBinding",
        "corral-sandbox-resources",
        ("spec", "paramRef", "parameterNotFoundAction"),
        "Allow",
    ),
    (
        "admission-complete",
        "ValidatingAdmissionPolicyBinding",
        "corral-sandbox-host",
        ("spec", "policyName"),
        "another",
    ),
    (
        "admission-complete",
        "ValidatingAdmissionPolicy",
        "corral-sandbox-host",
        ("metadata", "name"),
        "another",
    ),
    ("uid", "Deployment", "warden", (*_POD, "securityContext", "runAsUser"), 0),
    (
        "memory-limit",
        "Deployment",
        "warden",
        (*_POD, "containers", 0, "resources", "limits", "memory"),
        REMOVED,
    ),
    (
        "volume-types",
        "Deployment",
        "warden",
        (*_POD, "volumes", 3),
        {"name": "x", "hostPath": {"path": "/"}},
    ),
    ("image-digest", "Deployment", "warden", (*_POD, "containers", 0, "image"), "warden:latest"),
    ("host-namespaces", "Deployment", "warden", (*_POD, "hostNetwork"), True),
    ("uid", "SandboxTemplate", "worker", (*_TEMPLATE, "securityContext", "runAsUser"), 0),
    (
        "cpu-limit",
        "SandboxTemplate",
        "worker",
        (*_TEMPLATE, "containers", 0, "resources", "limits", "cpu"),
        REMOVED,
    ),
    (
        "memory-within-class",
        "SandboxTemplate",
        "worker",
        (*_TEMPLATE, "containers", 0, "resources", "limits", "memory"),
        "64Gi",
    ),
    ("runtime-class", "SandboxTemplate", "worker", (*_TEMPLATE, "runtimeClassName"), "container"),
    (
        "service-account",
        "SandboxTemplate",
        "worker",
        (*_TEMPLATE, "serviceAccountName"),
        "orchestrator",
    ),
    (
        "tolerations",
        "SandboxTemplate",
        "worker",
        (*_TEMPLATE, "tolerations"),
        [{"operator": "Exists"}],
    ),
    (
        "steering-annotations",
        "SandboxTemplate",
        "worker",
        ("spec", "podTemplate", "metadata", "annotations", "dev.gvisor.x"),
        "y",
    ),
    (
        "exemptions",
        "SandboxTemplate",
        "worker",
        ("metadata", "annotations", "exempt.corral.dev/uid"),
        "because it always was so",
    ),
    (
        "exemptions",
        "Deployment",
        "warden",
        ("metadata", "annotations", "exempt.corral.dev/uid"),
        "because",
    ),
    (
        "exemptions",
        "Deployment",
        "warden",
        ("metadata", "annotations", "exempt.corral.dev/every"),
        "because it always was so",
    ),
]


def _rules(plan: Plan) -> set[str]:
    return {finding.rule for finding in judge_all(plan)}


def _violations(plan: Plan) -> list[Finding]:
    return [finding for finding in judge_all(plan) if not finding.undecided]


def test_a_good_plan_breaks_no_rule() -> None:
    assert judge_all(good_plan()) == []


@pytest.mark.parametrize(("rule", "kind", "name", "path", "value"), BROKEN)
def test_a_change_breaks_the_rule_that_is_about_it(
    rule: str, kind: str, name: str, path: Path, value: Any
) -> None:
    found = [f for f in _violations(broken(kind, name, (path, value))) if f.rule == rule]
    assert found, f"{rule} says nothing"
    assert all(f"[{rule}]" in finding.message for finding in found)


def test_rights_that_dont_wait_for_a_fence_are_found() -> None:
    plan = good_plan()
    find(plan, "RoleBinding", "corral-orchestrator")["dependencies"].pop()
    assert _rules(plan) == {"rights-after-fences"}


def test_a_tenants_account_bound_for_the_whole_cluster_is_found() -> None:
    plan = good_plan()
    binding = copy.deepcopy(find(plan, "RoleBinding", "corral-orchestrator")["inputs"])
    binding["kind"] = "ClusterRoleBinding"
    del binding["metadata"]["namespace"]
    assert _rules([*plan, entry(binding)]) == {"rights-everywhere"}


def test_every_rule_is_broken_by_some_case() -> None:
    """Rules for pods have cases of their own."""
    pod_rules = {rule.id for rule in POD_RULES}
    bought = {rule.id for rule in purchases.RESOURCE_RULES}  # test_purchases.py
    own = {rule.id for rule in (*RESOURCE_RULES, *PLAN_RULES)} - pod_rules - bought
    tried = {case[0] for case in BROKEN} | {"rights-after-fences", "rights-everywhere"}
    tried.add("api-server-reaches")  # test_callbacks.py
    assert own <= tried


def test_every_rule_says_what_why_and_how_to_mend_it() -> None:
    for rule in (*RESOURCE_RULES, *PLAN_RULES):
        assert rule.title and rule.why and rule.fix
        assert not rule.title.endswith(".") and not rule.fix.endswith(".")


def test_an_exemption_with_a_reason_holds_for_its_rule_alone() -> None:
    reason = "it prepares the node, and nobody else can"
    exempted = ("metadata", "annotations", "exempt.corral.dev/volume-types")
    volume = ((*_POD, "volumes", 3), {"name": "x", "hostPath": {"path": "/"}})
    root = ((*_POD, "securityContext", "runAsUser"), 0)
    assert _rules(broken("Deployment", "warden", volume, (exempted, reason))) == set()
    assert _rules(broken("Deployment", "warden", volume, root, (exempted, reason))) == {"uid"}


def test_what_isnt_known_yet_is_undecided_and_no_violation() -> None:
    image: Path = (*_POD, "containers", 0, "image")
    plan = broken("Deployment", "warden", (image, {"$corral": "unknown"}))
    assert _violations(plan) == []
    assert _rules(plan) == {"image-digest"}


def test_an_unknown_elsewhere_excuses_nothing() -> None:
    unknown = (("metadata", "labels"), {"$corral": "unknown"})
    root = ((*_POD, "securityContext", "runAsUser"), 0)
    found = _violations(broken("Deployment", "warden", unknown, root))
    assert {finding.rule for finding in found} == {"uid"}


def test_a_plain_secret_is_told_without_its_value() -> None:
    plan = broken("Secret", "token", (("stringData", "token"), "hunter2"))
    assert "hunter2" not in str(judge_all(plan))


def test_the_worst_comes_first() -> None:
    plan = broken(
        "Deployment",
        "warden",
        ((*_POD, "shareProcessNamespace"), True),
        ((*_POD, "hostPID"), True),
    )
    assert [finding.rule for finding in judge_all(plan)] == ["host-namespaces", "shared-processes"]


@pytest.mark.parametrize("inputs", [{}, {"metadata": None}, {"metadata": [], "spec": 7}, None])
@pytest.mark.parametrize(
    "kind",
    [
        "core/v1:Pod",
        "core/v1:Namespace",
        "core/v1:Secret",
        "apps/v1:Deployment",
        "rbac.authorization.k8s.io/v1:RoleBinding",
        "rbac.authorization.k8s.io/v1:ClusterRole",
        "node.k8s.io/v1:RuntimeClass",
        "admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding",
    ],
)
def test_a_misshapen_resource_gives_findings_at_most(kind: str, inputs: Any) -> None:
    odd = {"urn": "urn:odd", "type": f"kubernetes:{kind}", "name": "odd", "inputs": inputs}
    judge_all([*good_plan(), odd])


def test_platform_workloads_are_held_to_the_baseline_alone() -> None:
    workload = platform_workload()
    assert workload["spec"]["template"]["spec"]["automountServiceAccountToken"] is True
    assert _rules(good_plan()) == set()


@pytest.mark.parametrize(("namespace", "told"), [("tigera-operator", 0), ("agents-acme", 1)])
def test_an_account_of_a_chart_may_have_its_token_but_for_a_tenants(
    namespace: str, told: int
) -> None:
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "operator", "namespace": namespace},
    }
    own = entry(account)
    of_a_chart = {
        **own,
        "urn": "urn:pulumi:test::corral::corral:platform:Platform$kubernetes:helm.sh/v4:Chart$"
        f"kubernetes:core/v1:ServiceAccount::operator:{namespace}/operator",
    }
    assert [f.rule for f in judge_all([own])] == ["account-tokens"]
    assert len(judge_all([of_a_chart])) == told
