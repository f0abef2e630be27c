"""What a sandbox may use: limits that are there, within its class, and that nothing overcommits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from corral.policy.amounts import amount, total
from corral.policy.document import Container, Document, at, containers, pairs
from corral.policy.parameters import of_class
from corral.policy.policies import RESOURCES
from corral.policy.rule import Facts, Offence, Rule, Severity

_SIZED = ("containers", "initContainers")

# Sums are of binary fractions in CEL: half a unit apart is the same.
_TOLERANCE = Decimal("0.5")
MIB = 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """One resource that every container has a limit of."""

    key: str
    """Its name in `resources.limits`."""
    suffix: str
    """Its bound's name among the parameters of a class."""
    word: str
    scale: int
    """How many of the unit's smallest step make one."""


UNITS = (
    Unit(key="cpu", suffix="cpu", word="CPU", scale=1000),
    Unit(key="memory", suffix="memory", word="memory", scale=1),
    Unit(key="ephemeral-storage", suffix="disk", word="ephemeral storage", scale=1),
)


def _limit(container: Container, unit: Unit) -> Any:
    return at(container.body, "resources", "limits", unit.key)


def _present(unit: Unit) -> Callable[[Document, Facts], Iterator[Offence]]:
    def offences(pod: Document, _: Facts) -> Iterator[Offence]:
        for container in containers(pod, *_SIZED):
            value = _limit(container, unit)
            if amount(value) <= 0:
                yield Offence(field=f"{container.where}.resources.limits.{unit.key}", value=value)

    return offences


def _present_cel(unit: Unit) -> str:
    return (
        "$sized.map(c, {'at': dyn(c.at), 'is': "
        f"dyn(c.is.?resources.?limits[?'{unit.key}'].orValue(dyn('unset')))}})"
        ".filter(e, e.is == 'unset' || !quantity(e.is).isGreaterThan(quantity('0')))"
        f".map(e, e.at + '.resources.limits.{unit.key}=' + e.is)"
    )


def _within(unit: Unit) -> Callable[[Document, Facts], Iterator[Offence]]:
    def over(values: list[Any], bound: str) -> bool:
        return total(values) * unit.scale > amount(bound) * unit.scale + _TOLERANCE

    def offences(pod: Document, facts: Facts) -> Iterator[Offence]:
        bound = of_class(pod, facts, unit.suffix, "0")
        words = f"the class allows {bound}"
        sized = list(containers(pod, *_SIZED))
        for container in sized:
            value = _limit(container, unit)
            if over([value], bound):
                field = f"{container.where}.resources.limits.{unit.key}"
                yield Offence(field=field, value=value, bound=words)
        for kind in ("limits", "requests"):
            value = at(pod, "spec", "resources", kind, unit.key)
            if over([value], bound):
                yield Offence(field=f"spec.resources.{kind}.{unit.key}", value=value, bound=words)
        main = [_limit(c, unit) for c in sized if c.where.startswith("spec.containers")]
        sidecars = [_limit(c, unit) for c in sized if c.sidecar]
        if len(main + sidecars) > 1 and over(main + sidecars, bound):
            yield Offence(
                field=f"spec, all containers: {unit.key}", value=_sum(main + sidecars), bound=words
            )
        for step in sized:
            if sidecars and step.where.startswith("spec.initContainers") and not step.sidecar:
                beside = [_limit(step, unit), *sidecars]
                if over(beside, bound):
                    field = f"{step.where}, beside every sidecar: {unit.key}"
                    yield Offence(field=field, value=_sum(beside), bound=words)

    return offences


def _sum(values: list[Any]) -> str:
    return " + ".join("0" if value is None else str(value) for value in values)


def _within_cel(unit: Unit) -> str:
    words = f"' (the class allows ' + ${unit.suffix}_bound + ')'"
    text = f".?resources.?limits[?'{unit.key}'].orValue('0')"
    number = f"quantity(c.is{text}).asApproximateFloat()"
    bound = f"quantity(${unit.suffix}_bound).asApproximateFloat()"
    scaled = f"* {unit.scale}.0 > {bound} * {unit.scale}.0 + {_TOLERANCE}"
    alone = (
        f"$sized.filter(c, {number} {scaled})"
        f".map(c, c.at + '.resources.limits.{unit.key}=' + c.is{text} + {words})"
    )
    of_pod = (
        "['limits', 'requests'].map(k, {'at': k, "
        f"'is': dyn($object.spec).?resources[?k][?'{unit.key}'].orValue('0')}})"
        f".filter(e, quantity(e.is).asApproximateFloat() {scaled})"
        f".map(e, 'spec.resources.' + e.at + '.{unit.key}=' + e.is + {words})"
    )
    together = (
        f"($running.size() > 1 && $running.map(c, {number}).sum() {scaled} "
        f"? ['spec, all containers: {unit.key}=' "
        f"+ $running.map(c, c.is{text}).join(' + ') + {words}] : [])"
    )
    steps = (
        "$steps.filter(c, $sidecars.size() > 0 "
        f"&& ({number} + $sidecars.map(c, {number}).sum()) {scaled})"
        f".map(c, c.at + ', beside every sidecar: {unit.key}=' "
        f"+ ([c.is{text}] + $sidecars.map(c, c.is{text})).join(' + ') + {words})"
    )
    return f"{alone} + {of_pod} + {together} + {steps}"


def _memory_requests(pod: Document, facts: Facts) -> Iterator[Offence]:
    ratio = of_class(pod, facts, "memory-ratio", "1")
    words = f"at least the limit / {ratio}"
    sized = list(containers(pod, *_SIZED))
    for container in sized:
        limit = at(container.body, "resources", "limits", "memory")
        request = at(container.body, "resources", "requests", "memory")
        # The API server itself takes the limit for a request that is left out.
        if request is not None and _overcommits(amount(request), amount(limit), ratio):
            field = f"{container.where}.resources.requests.memory"
            yield Offence(field=field, value=request, bound=words)
    running = [c.body for c in sized if c.where.startswith("spec.containers") or c.sidecar]
    limit = at(pod, "spec", "resources", "limits", "memory")
    request = _pod_memory_request(pod, running)
    if request is not None:
        whole = amount(limit) if limit is not None else total(map(_memory_limit, running))
        if _overcommits(amount(request), whole, ratio):
            yield Offence(field="spec.resources.requests.memory", value=request, bound=words)


def _memory_limit(container: Document) -> Any:
    return at(container, "resources", "limits", "memory")


def _pod_memory_request(pod: Document, running: list[Document]) -> Any:
    """The pod's own memory request. Left out beside a limit, the API server takes the sum of what
    the containers request, whose own default is their limit."""
    own = at(pod, "spec", "resources", "requests", "memory")
    if own is not None or at(pod, "spec", "resources", "limits", "memory") is None:
        return own
    of_containers = total(
        at(body, "resources", "requests", "memory") or _memory_limit(body) for body in running
    )
    return int(of_containers) or None


def _overcommits(request: Decimal, limit: Decimal, ratio: str) -> bool:
    # Class requests are rounded down to whole MiB.
    return (request + MIB) * amount(ratio) < limit


def _memory_requests_cel() -> str:
    words = "' (at least the limit / ' + $memory_ratio + ')'"
    limit = "c.is.?resources.?limits[?'memory'].orValue('0')"
    request = "c.is.?resources.?requests[?'memory'].orValue('0')"
    whole = "quantity($object.spec.?resources.?limits[?'memory'].orValue('0')).asApproximateFloat()"
    running = f"$running.map(c, quantity({limit}).asApproximateFloat()).sum()"
    pod_request = "$object.spec.?resources.?requests[?'memory']"
    return (
        "$sized.filter(c, c.is.?resources.?requests[?'memory'].hasValue() "
        f"&& (quantity({request}).asApproximateFloat() + {MIB}.0) * double($memory_ratio) "
        f"< quantity({limit}).asApproximateFloat())"
        f".map(c, c.at + '.resources.requests.memory=' + {request} + {words}) + "
        f"({pod_request}.hasValue() "
        f"&& (quantity({pod_request}.orValue('0')).asApproximateFloat() + {MIB}.0) "
        "* double($memory_ratio) "
        f"< ($object.spec.?resources.?limits[?'memory'].hasValue() ? {whole} : {running}) "
        f"? ['spec.resources.requests.memory=' + {pod_request}.orValue('0') + {words}] : [])"
    )


def _names(pod: Document, facts: Facts) -> Iterator[Offence]:
    extended = of_class(pod, facts, "extended-resources", "").split(",")
    allowed = {unit.key for unit in UNITS} | set(extended)
    holders = [(c.where, c.body) for c in containers(pod, *_SIZED)]
    for where, body in [*holders, ("spec", pairs(pod, "spec"))]:
        for kind in ("limits", "requests"):
            for key, value in sorted(pairs(body, "resources", kind).items()):
                if key not in allowed:
                    yield Offence(field=f"{where}.resources.{kind}[{key}]", value=value)


_NAMES_CEL = (
    "($sized + [{'at': dyn('spec'), 'is': dyn($object.spec)}])"
    ".map(c, ['limits', 'requests'].map(k, c.is.?resources[?k].orValue({})"
    ".filter(r, !(r in $resource_names)).map(r, "
    "c.at + '.resources.' + k + '[' + r + ']=' + c.is.resources[k][r]).sort())).flatten(2)"
)

RULES: tuple[Rule, ...] = (
    *(
        Rule(
            id=f"{unit.suffix}-limit",
            severity=Severity.HIGH,
            title=f"Every container has a limit of {unit.word}",
            why=f"Without one it takes its neighbours' {unit.word}. 0 is no limit either.",
            fix=f"set resources.limits.{unit.key} on every container and init container",
            policies=(RESOURCES,),
            offences=_present(unit),
            cel=_present_cel(unit),
            # For the platform's own: throttling its CPU or evicting it for its logs helps nobody.
            baseline=unit.key == "memory",
        )
        for unit in UNITS
    ),
    *(
        Rule(
            id=f"{unit.suffix}-within-class",
            severity=Severity.HIGH,
            title=f"A sandbox as a whole has at most its class's {unit.word}",
            why="Limits are summed over what runs at the same time; each init container counts "
            "beside every sidecar. Resizing a running sandbox is held to the same figure.",
            fix=f"lower limits.{unit.key}, or use a larger agent class",
            by_class=True,
            policies=(RESOURCES,),
            offences=_within(unit),
            cel=_within_cel(unit),
        )
        for unit in UNITS
    ),
    Rule(
        id="memory-request",
        severity=Severity.MEDIUM,
        title="A sandbox requests its memory limit, divided by what its class overcommits at most",
        why="A microVM takes its limit whatever it requests: requesting less overcommits the node "
        "without anybody having said so.",
        fix="raise resources.requests.memory, or leave it out: it is then the limit",
        by_class=True,
        policies=(RESOURCES,),
        offences=_memory_requests,
        cel=_memory_requests_cel(),
    ),
    Rule(
        id="resource-names",
        severity=Severity.HIGH,
        title="A sandbox asks for CPU, memory and ephemeral storage, and for devices only where "
        "its runtime needs them",
        why="Extended resources are devices of the host; huge pages aren't counted by any quota.",
        fix="remove it from resources.limits and resources.requests",
        by_class=True,
        policies=(RESOURCES,),
        offences=_names,
        cel=_NAMES_CEL,
    ),
)
