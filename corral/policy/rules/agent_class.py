"""Of which agent class a sandbox is, and the runtime and priority that come with it."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.document import Document, at
from corral.policy.parameters import agent_class, known_classes, of_class
from corral.policy.policies import IDENTITY, NO_CLASS, RESOURCES
from corral.policy.rule import Facts, Offence, Rule, Severity
from corral.policy.steering import CLASS_LABEL


def _agent_class(pod: Document, facts: Facts) -> Iterator[Offence]:
    name, known = agent_class(pod), known_classes(facts)
    if not name or name not in known:
        yield Offence(
            field=f"metadata.labels[{CLASS_LABEL}]",
            value=name or None,
            bound="one of " + ", ".join(known),
        )


def _runtime_class(pod: Document, facts: Facts) -> Iterator[Offence]:
    wanted = of_class(pod, facts, "runtime", NO_CLASS)
    value = at(pod, "spec", "runtimeClassName") or ""
    if value != wanted:
        bound = f"the class runs on {wanted or 'none'}"
        yield Offence(field="spec.runtimeClassName", value=value or None, bound=bound)


def _priority_class(pod: Document, facts: Facts) -> Iterator[Offence]:
    wanted = of_class(pod, facts, "priority-class", NO_CLASS)
    value = at(pod, "spec", "priorityClassName") or ""
    if wanted and value != wanted:
        bound = f"the class has {wanted}"
        yield Offence(field="spec.priorityClassName", value=value or None, bound=bound)


def _or_unset(field: str) -> str:
    value = f"$object.spec.?{field}.orValue('')"
    return f"'spec.{field}=' + ({value} == '' ? 'unset' : {value})"


RULES: tuple[Rule, ...] = (
    Rule(
        id="agent-class",
        severity=Severity.HIGH,
        title="A sandbox is of one of its tenant's agent classes",
        why="The class decides the runtime, the priority and the room that a sandbox gets: without "
        "one there is nothing to hold it to.",
        fix=f"label the pod {CLASS_LABEL} with a class that the stack gives this tenant",
        by_class=True,
        policies=(IDENTITY, RESOURCES),
        offences=_agent_class,
        cel="$agent_class != '' && $agent_class in variables.classes ? [] : "
        f"['metadata.labels[{CLASS_LABEL}]=' + ($agent_class == '' ? 'unset' : $agent_class) "
        "+ ' (one of ' + variables.classes.join(', ') + ')']",
    ),
    Rule(
        id="runtime-class",
        severity=Severity.CRITICAL,
        title="A sandbox runs on its agent class's runtime",
        why="Without a RuntimeClass a pod shares the host's kernel, whatever its tenant's tier.",
        fix="set runtimeClassName to the class's runtime",
        by_class=True,
        policies=(IDENTITY,),
        offences=_runtime_class,
        cel="$object.spec.?runtimeClassName.orValue('') == $runtime ? [] : "
        f"[{_or_unset('runtimeClassName')} "
        "+ ' (the class runs on ' + ($runtime == '' ? 'none' : $runtime) + ')']",
    ),
    Rule(
        id="priority-class",
        severity=Severity.HIGH,
        title="A sandbox has its agent class's priority",
        why="A higher one is placed before other tenants' sandboxes, or evicts them.",
        fix="set priorityClassName to the class's, and no priority",
        by_class=True,
        policies=(IDENTITY,),
        offences=_priority_class,
        cel="$priority_class == '' "
        "|| $object.spec.?priorityClassName.orValue('') == $priority_class ? [] : "
        f"[{_or_unset('priorityClassName')} + ' (the class has ' + $priority_class + ')']",
    ),
)
