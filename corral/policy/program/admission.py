"""Admission policies are all there, bound, and refuse."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.document import at, texts
from corral.policy.policies import POLICIES
from corral.policy.program.resource import Plan, Resource
from corral.policy.program.rule import PlanRule, ResourceRule
from corral.policy.rule import Offence, Severity

_GROUP = "admissionregistration.k8s.io"
_POLICY, _BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"


def _toothless(resource: Resource) -> Iterator[Offence]:
    spec = resource.document.get("spec")
    if resource.is_a(_GROUP, _POLICY):
        value = at(spec, "failurePolicy")
        if value not in (None, "Fail"):
            yield Offence(field="spec.failurePolicy", value=value, bound="Fail")
    if resource.is_a(_GROUP, _BINDING):
        actions = texts(spec, "validationActions")
        if "Deny" not in actions:
            yield Offence(field="spec.validationActions", value=", ".join(actions), bound="Deny")
        missing = at(spec, "paramRef", "parameterNotFoundAction")
        if at(spec, "paramRef") is not None and missing != "Deny":
            field = "spec.paramRef.parameterNotFoundAction"
            yield Offence(field=field, value=missing, bound="Deny")


def _unbound(plan: Plan) -> Iterator[tuple[Resource, Offence]]:
    bound = {at(b.document, "spec", "policyName") for b in plan.of(_GROUP, _BINDING)}
    for policy in plan.of(_GROUP, _POLICY):
        if policy.name not in bound:
            yield policy, Offence(field="binding", value=None)
    names = {policy.name for policy in plan.of(_GROUP, _POLICY)}
    missing = [policy.name for policy in POLICIES if policy.name not in names]
    # A stack that holds tenants alone gets its policies from another one: it has none of them.
    if names & {policy.name for policy in POLICIES}:
        for namespace in plan.tenant_namespaces():
            for name in missing:
                yield namespace, Offence(field=f"policy {name}", value=None)


RESOURCE_RULES: tuple[ResourceRule, ...] = (
    ResourceRule(
        id="admission-denies",
        severity=Severity.CRITICAL,
        title="Admission policies fail closed, and their bindings deny",
        why="A policy that only warns, or that an error switches off, is no wall.",
        fix="set failurePolicy: Fail, validationActions with Deny, parameterNotFoundAction: Deny",
        offences=_toothless,
    ),
)

PLAN_RULES: tuple[PlanRule, ...] = (
    PlanRule(
        id="admission-complete",
        severity=Severity.CRITICAL,
        title="Every admission policy is registered, with a binding",
        why="A policy without a binding judges nothing, and looks as if it did.",
        fix="register all of admission_documents()",
        offences=_unbound,
    ),
)
