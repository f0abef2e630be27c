"""The rules for pods, over the pod templates of what is registered.

A template is judged as it is written: a limit that a LimitRange would fill in is missing there.
"""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.document import Document, pairs
from corral.policy.parameters import PARAMETERS_KIND, SANDBOX_ACCOUNT
from corral.policy.policies import POLICIES
from corral.policy.program.exemptions import PREFIX, SHORTEST_REASON, exempt, exemptions
from corral.policy.program.resource import Plan, Resource
from corral.policy.program.rule import PlanRule, ResourceRule
from corral.policy.rule import Facts, Offence, Rule, Severity
from corral.policy.rules import RULES, rules_of
from corral.policy.steering import TENANT_LABEL
from corral.settings.tenants import NAMESPACE_PREFIX

TEMPLATES: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "Pod"): (),
    ("", "PodTemplate"): ("template",),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("agents.x-k8s.io", "Sandbox"): ("spec", "podTemplate"),
    ("extensions.agents.x-k8s.io", "SandboxTemplate"): ("spec", "podTemplate"),
}
"""Where each kind of workload keeps its pod."""

SANDBOXES = ("Sandbox", "SandboxTemplate")


def template_of(resource: Resource) -> tuple[str, Document] | None:
    """The prefix of its paths and the pod template of a workload; None for anything else."""
    path = TEMPLATES.get((resource.group, resource.kind))
    if path is None:
        return None
    template = pairs(resource.document, *path)
    return ".".join((*path, "")) if path else "", template


def is_sandbox(resource: Resource) -> bool:
    """Whether its pods are a tenant's: they stand in its namespace, or are sandboxes."""
    return resource.tenants or resource.kind in SANDBOXES


def _judges_new_pods(rule: Rule) -> bool:
    """Whether a policy tries the rule on a pod's creation, and an image's digest is asked for."""
    matching = {
        policy.name
        for policy in POLICIES
        for match in policy.matches
        if "pods" in match.resources and "CREATE" in match.operations
    }
    return any(rule in rules_of(name) for name in matching) and not rule.compares


POD_RULES = tuple(rule for rule in RULES if _judges_new_pods(rule))


def _offences(resource: Resource, rule: Rule, facts: Facts) -> Iterator[Offence]:
    found = template_of(resource)
    if found is None:
        return
    prefix, template = found
    if not is_sandbox(resource) and exempt(rule.id, resource.document, template):
        return
    for offence in rule.offences(template, facts):
        yield Offence(field=f"{prefix}{offence.field}", value=offence.value, bound=offence.bound)


def _on_each(rule: Rule) -> ResourceRule:
    def offences(resource: Resource) -> Iterator[Offence]:
        if is_sandbox(resource) or rule.baseline:
            facts = Facts(namespace=_namespace(resource.namespace))
            yield from _offences(resource, rule, facts)

    return ResourceRule(
        id=rule.id,
        severity=rule.severity,
        title=rule.title,
        why=rule.why,
        fix=rule.fix,
        offences=offences,
    )


def _by_class(rule: Rule) -> PlanRule:
    def offences(plan: Plan) -> Iterator[tuple[Resource, Offence]]:
        for resource in plan.resources:
            if template_of(resource) is None or not is_sandbox(resource):
                continue
            facts = Facts(
                namespace=_namespace(resource.namespace),
                parameters=_parameters(plan, resource.namespace),
            )
            # Bounds that another stack registers are judged by the cluster alone.
            if facts.parameters:
                for offence in _offences(resource, rule, facts):
                    yield resource, offence

    return PlanRule(
        id=rule.id,
        severity=rule.severity,
        title=rule.title,
        why=rule.why,
        fix=rule.fix,
        offences=offences,
    )


def _namespace(name: str) -> Document:
    labels = {}
    if name.startswith(NAMESPACE_PREFIX):
        labels[TENANT_LABEL] = name.removeprefix(NAMESPACE_PREFIX)
    return {"metadata": {"name": name, "labels": labels}}


def _parameters(plan: Plan, namespace: str) -> dict[str, str]:
    _, kind = PARAMETERS_KIND
    for account in plan.within(namespace, "", kind):
        if account.name == SANDBOX_ACCOUNT:
            found = pairs(account.document, "metadata", "annotations")
            return {key: value for key, value in found.items() if isinstance(value, str)}
    return {}


def _unreasoned(resource: Resource) -> Iterator[Offence]:
    found = template_of(resource)
    if found is None:
        return
    given = exemptions(resource.document, found[1])
    known = {rule.id for rule in POD_RULES if rule.baseline}
    for rule, reason in sorted(given.items()):
        field = f"metadata.annotations[{PREFIX}{rule}]"
        if is_sandbox(resource):
            yield Offence(field=field, value="set", bound="a sandbox is exempt from nothing")
        elif rule not in known:
            yield Offence(field=field, value=rule, bound=f"one of {', '.join(sorted(known))}")
        elif len(reason.strip()) < SHORTEST_REASON:
            yield Offence(field=field, value=reason, bound="a reason in a sentence")


RESOURCE_RULES: tuple[ResourceRule, ...] = (
    *(_on_each(rule) for rule in POD_RULES if not rule.by_class),
    ResourceRule(
        id="exemptions",
        severity=Severity.HIGH,
        title="An exemption names a rule and gives a reason, and no sandbox has one",
        why="An exemption is a hole in a wall: somebody has to be able to say why it is there.",
        fix=f"write the reason into the annotation {PREFIX}<rule>, or remove it",
        offences=_unreasoned,
    ),
)
PLAN_RULES: tuple[PlanRule, ...] = tuple(_by_class(rule) for rule in POD_RULES if rule.by_class)
