"""The same rules for Pulumi's own judge: `pulumi preview --policy-pack policies`.

Policies are made here and packed in `policies/__main__.py`: making the pack serves it, and never
returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import Severity as PackSeverity
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from corral.policy.check import Finding, finding
from corral.policy.program import PLAN_RULES, RESOURCE_RULES
from corral.policy.program.resource import MARK, UNKNOWN, Plan, Resource
from corral.policy.program.rule import PlanRule, ResourceRule
from corral.policy.rule import Explained, Severity

_SEVERITIES = {
    Severity.CRITICAL: PackSeverity.CRITICAL,
    Severity.HIGH: PackSeverity.HIGH,
    Severity.MEDIUM: PackSeverity.MEDIUM,
}


def pack_policies() -> list[Policy]:
    """Every rule that can be judged there. What is secret can't be: policies see plain values."""
    return [
        *(_of_resource(rule) for rule in RESOURCE_RULES if not rule.needs_secrecy),
        *(_of_stack(rule) for rule in PLAN_RULES),
    ]


def _of_resource(rule: ResourceRule) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        resource = _resource(args.resource_type, args.urn, args.props)
        _tell([finding(rule, resource, o) for o in rule.offences(resource)], report)

    return ResourceValidationPolicy(validate=validate, **_words(rule))


def _of_stack(rule: PlanRule) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        plan = Plan([_registered(resource) for resource in args.resources])
        _tell([finding(rule, resource, o) for resource, o in rule.offences(plan)], report)

    return StackValidationPolicy(validate=validate, **_words(rule))


def _words(rule: Explained) -> dict[str, Any]:
    return {
        "name": rule.id,
        "description": rule.why,
        "enforcement_level": EnforcementLevel.MANDATORY,
        "severity": _SEVERITIES[rule.severity],
        "remediation_steps": rule.fix,
        "url": rule.link,
    }


def _tell(findings: Iterable[Finding], report: ReportViolation) -> None:
    """Reports what is broken; what can't be known in a preview becomes a note of the engine's."""
    unknown = []
    for found in findings:
        if found.undecided:
            unknown.append(found.field)
        else:
            report(found.message, found.urn)
    if unknown:
        raise UnknownValueError(UNKNOWN_STRING_VALUE, unknown)


def _registered(resource: PolicyResource) -> Resource:
    found = _resource(resource.resource_type, resource.urn, resource.props)
    dependencies = tuple(needed.urn for needed in resource.dependencies)
    return Resource(
        urn=found.urn, type=found.type, document=found.document, dependencies=dependencies
    )


def _resource(kind: str, urn: str, props: Mapping[str, Any]) -> Resource:
    return Resource(urn=urn, type=kind, document=plain(props))


def plain(value: Any) -> Any:
    """The host's proxies as plain JSON: maps and lists of its own kinds, every number a float, and
    an exception for each value that isn't known yet, which becomes a mark."""
    if isinstance(value, Mapping):
        return {str(key): _entry(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_entry(value, index) for index in range(len(value))]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _entry(values: Any, key: Any) -> Any:
    try:
        return plain(values[key])
    except UnknownValueError:
        return {MARK: UNKNOWN}
