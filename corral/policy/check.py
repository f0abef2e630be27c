"""The offline judge: every rule over what a plan registers, without engine or cluster."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corral.policy.program import PLAN_RULES, RESOURCE_RULES
from corral.policy.program.resource import Plan, Resource, unknown_paths
from corral.policy.rule import Explained, Offence, Severity

_ORDER = list(Severity)
_STEP = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")
_MAPS = ("labels", "annotations", "nodeSelector", "limits", "requests", "data", "stringData")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A rule that a registered resource breaks, or (`undecided`) may break once it is known."""

    rule: str
    severity: Severity
    urn: str
    field: str
    message: str
    undecided: bool = False


def judge_all(resources: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """What a plan's resources break, the worst first, and then what can't be judged before it is
    applied. Each resource is a map with urn, type, inputs and dependencies, as
    `corral plan --offline --json` writes them."""
    plan = Plan([as_resource(resource) for resource in resources])
    found = [*_of_resources(plan.resources), *_of_plan(plan)]
    return sorted(found, key=lambda f: (f.undecided, _ORDER.index(f.severity), f.urn, f.rule))


def as_resource(resource: Mapping[str, Any]) -> Resource:
    """A plan's entry as rules look at it."""
    return Resource(
        urn=resource["urn"],
        type=resource["type"],
        document=resource.get("inputs") or {},
        dependencies=tuple(resource.get("dependencies") or ()),
    )


def finding(rule: Explained, resource: Resource, offence: Offence) -> Finding:
    """An offence as a finding; undecided where what it is about isn't known yet."""
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        urn=resource.urn,
        field=offence.field,
        message=rule.words(offence.text),
        undecided=_rests_on_unknown(resource, offence),
    )


def _of_resources(resources: Sequence[Resource]) -> Iterable[Finding]:
    for rule in RESOURCE_RULES:
        for resource in resources:
            for offence in rule.offences(resource):
                yield finding(rule, resource, offence)


def _of_plan(plan: Plan) -> Iterable[Finding]:
    for rule in PLAN_RULES:
        for resource, offence in rule.offences(plan):
            yield finding(rule, resource, offence)


def _rests_on_unknown(resource: Resource, offence: Offence) -> bool:
    field = _keys(offence.field)
    for path in unknown_paths(resource.document):
        length = min(len(path), len(field))
        if path[:length] == field[:length]:
            return True
    return False


def _keys(field: str) -> tuple[str, ...]:
    """`spec.containers[agent].image` → spec, containers, image: what names a list's entry is left
    out, a map's key stays. Of words only the path at their beginning counts."""
    keys: list[str] = []
    for selector, name in _STEP.findall(field.partition(",")[0].partition(" ")[0]):
        if name:
            keys.append(name)
        elif keys and keys[-1] in _MAPS:
            keys.append(selector)
    return tuple(keys)
