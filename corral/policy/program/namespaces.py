"""A tenant's namespace comes with everything that fences it in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from corral.policy.document import Document, at, entries, pairs, texts
from corral.policy.parameters import (
    PREFIX,
    PROBE_NAMESPACE,
    PROBE_TENANT,
    SANDBOX_ACCOUNT,
)
from corral.policy.program.resource import Plan, Resource
from corral.policy.program.rule import PlanRule, ResourceRule
from corral.policy.rule import Facts, Offence, Severity
from corral.policy.rules.tenant_namespace import RULES as NAMESPACE_RULES
from corral.policy.steering import TENANT_LABEL

_POD_SECURITY = "pod-security.kubernetes.io/enforce"
_NAME_RULE = next(rule for rule in NAMESPACE_RULES if rule.id == "namespace-name")


def _is_probe(namespace: Resource) -> bool:
    return namespace.labels.get(TENANT_LABEL) == PROBE_TENANT


def _unrestricted(resource: Resource) -> Iterator[Offence]:
    if not resource.is_a("", "Namespace") or TENANT_LABEL not in resource.labels:
        return
    if _is_probe(resource):
        return
    for key, wanted in ((_POD_SECURITY, "restricted"), (f"{_POD_SECURITY}-version", None)):
        value = resource.labels.get(key)
        if value != wanted and (wanted is not None or value in (None, "latest")):
            bound = wanted or "a release"
            yield Offence(field=f"metadata.labels[{key}]", value=value, bound=bound)


def _misnamed(resource: Resource) -> Iterator[Offence]:
    if resource.is_a("", "Namespace"):
        yield from _NAME_RULE.offences(resource.document, Facts(resource="namespaces"))


def _without(
    what: str, holds: Callable[[Plan, str], bool]
) -> Callable[[Plan], Iterator[tuple[Resource, Offence]]]:
    def offences(plan: Plan) -> Iterator[tuple[Resource, Offence]]:
        for namespace in plan.tenant_namespaces():
            if not _is_probe(namespace) and not holds(plan, namespace.name):
                yield namespace, Offence(field=f"{what} of {namespace.name}", value=None)

    return offences


def _denies_both_ways(policy: Document) -> bool:
    spec = pairs(policy, "spec")
    selects_all = spec.get("podSelector") == {}
    both = set(texts(spec, "policyTypes")) == {"Ingress", "Egress"}
    return selects_all and both and not entries(spec, "ingress") and not entries(spec, "egress")


def _has_default_deny(plan: Plan, namespace: str) -> bool:
    policies = plan.within(namespace, "networking.k8s.io", "NetworkPolicy")
    return any(_denies_both_ways(policy.document) for policy in policies)


_COUNTED = ("pods", "limits.cpu", "limits.memory", "limits.ephemeral-storage")


def _has_quota(plan: Plan, namespace: str) -> bool:
    counted: set[str] = set()
    for quota in plan.within(namespace, "", "ResourceQuota"):
        if at(quota.document, "spec", "scopeSelector") is None:
            counted |= pairs(quota.document, "spec", "hard").keys()
    return counted.issuperset(_COUNTED)


def _has_limits(plan: Plan, namespace: str) -> bool:
    return any(
        limit.get("type") == "Container" and {"default", "max"} <= limit.keys()
        for found in plan.within(namespace, "", "LimitRange")
        for limit in entries(found.document, "spec", "limits")
    )


def _has_parameters(plan: Plan, namespace: str) -> bool:
    return any(
        account.name == SANDBOX_ACCOUNT
        and f"{PREFIX}classes" in pairs(account.document, "metadata", "annotations")
        for account in plan.within(namespace, "", "ServiceAccount")
    )


def _roomy_probes(plan: Plan) -> Iterator[tuple[Resource, Offence]]:
    for namespace in plan.tenant_namespaces():
        if not _is_probe(namespace):
            continue
        quotas = plan.within(namespace.name, "", "ResourceQuota")
        if not any(at(quota.document, "spec", "hard", "pods") == "0" for quota in quotas):
            yield (
                namespace,
                Offence(field=f"quota of {namespace.name}: pods", value=None, bound="0"),
            )


RESOURCE_RULES: tuple[ResourceRule, ...] = (
    ResourceRule(
        id="namespace-pod-security",
        severity=Severity.CRITICAL,
        title="A tenant's namespace enforces Pod Security's level restricted, of a named release",
        why="It is the wall that stands before ours; of release latest, an upgrade of the cluster "
        "changes what it lets through.",
        fix=f"label it {_POD_SECURITY}: restricted and {_POD_SECURITY}-version: v1.NN",
        offences=_unrestricted,
    ),
    ResourceRule(
        id=_NAME_RULE.id,
        severity=_NAME_RULE.severity,
        title=_NAME_RULE.title,
        why=_NAME_RULE.why,
        fix=_NAME_RULE.fix,
        offences=_misnamed,
    ),
)

PLAN_RULES: tuple[PlanRule, ...] = (
    PlanRule(
        id="tenant-quota",
        severity=Severity.HIGH,
        title="A tenant's namespace has a quota of pods, CPU, memory and ephemeral storage",
        why="Without it one tenant takes the nodes of all.",
        fix=f"register a ResourceQuota with {', '.join(_COUNTED)}",
        offences=_without("quota", _has_quota),
    ),
    PlanRule(
        id="tenant-limits",
        severity=Severity.MEDIUM,
        title="A tenant's namespace has a LimitRange with defaults and maxima for containers",
        why="It holds what names no limits, also while policies are not in force yet.",
        fix="register a LimitRange of type Container with default and max",
        offences=_without("LimitRange", _has_limits),
    ),
    PlanRule(
        id="tenant-network",
        severity=Severity.CRITICAL,
        title="A tenant's namespace denies all traffic, both ways, by default",
        why="Kubernetes allows what no policy selects.",
        fix="register a NetworkPolicy with an empty podSelector, both policyTypes and no rules",
        offences=_without("default-deny NetworkPolicy", _has_default_deny),
    ),
    PlanRule(
        id="tenant-parameters",
        severity=Severity.HIGH,
        title="A tenant's namespace has the account that carries its parameters",
        why="Without parameters the policies refuse every sandbox.",
        fix=f"register a ServiceAccount {SANDBOX_ACCOUNT} with tenant_parameters as annotations",
        offences=_without("parameters", _has_parameters),
    ),
    PlanRule(
        id="probe-room",
        severity=Severity.MEDIUM,
        title=f"Nothing can run in {PROBE_NAMESPACE}",
        why="It stands behind no wall but the one that is tried out there.",
        fix="register a ResourceQuota with pods: 0 in it",
        offences=_roomy_probes,
    ),
)
