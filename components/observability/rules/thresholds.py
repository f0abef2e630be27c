"""Thresholds of the settings as constant series, one for each class: one expression for all.

The row without a class is for pods that have no such label: they are judged by the defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from components.observability.place import ObservabilityPlace
from components.observability.rules.rule import Group, Rule
from corral.settings.capacity import serving
from corral.settings.classes import AgentClass
from corral.settings.durations import duration_text
from corral.settings.thresholds import PENDING, Thresholds
from corral.settings.tiers import ProcessLimit

OVER = "over"
"""Label of alerts of which there is one for each window that classes have: the window."""

DEFAULTS = Thresholds()
_OLDEST = 24
_HOUR = 3600


def threshold_groups(place: ObservabilityPlace) -> list[Group]:
    """All constants: `corral:threshold:<what>{agent_class}`."""
    rules = [
        Rule(
            record=f"corral:threshold:{what}",
            expr=f"vector({value:.10g})",
            labels={"agent_class": name} if name else {},
        )
        for what, of in _WHAT.items()
        for name, value in _values(place, of)
    ]
    return [Group(name="thresholds", rules=tuple(rules))]


def threshold(what: str, classes: str = "") -> str:
    """The constant's name with its matcher, for the right side of `> on (agent_class) …`."""
    if what not in _WHAT:
        raise KeyError(what)
    return f"on (agent_class) group_left () corral:threshold:{what}{classes}"


def by_value(
    place: ObservabilityPlace, of: Callable[[Thresholds], int]
) -> Iterator[tuple[int, str]]:
    """Each value that classes have, and the matcher of its classes, for what an expression can't
    take from a series: windows. The default's takes in pods without a class."""
    values = sorted((of(agent.thresholds), name) for name, agent in place.classes.items())
    others = [name for value, name in values if value != of(DEFAULTS)]
    yield of(DEFAULTS), '{agent_class!~"' + "|".join(others) + '"}' if others else ""
    for value, found in groupby(values, key=lambda pair: pair[0]):
        if value != of(DEFAULTS):
            yield value, '{agent_class=~"' + "|".join(name for _, name in found) + '"}'


def hold(seconds: int) -> str:
    """As rules write it."""
    return duration_text(seconds)


def _processes(place: ObservabilityPlace, agent: AgentClass) -> float:
    """Tasks on the node or in the guest, of the strictest pool that may run it: which one a pod is
    on, metrics don't say."""
    limits = [pool.processes for pool in serving(agent, place.pools).values()]
    runtime, most = agent.served_by, min(limits, default=agent.processes)
    if runtime.process_limit == ProcessLimit.KUBELET:
        most = runtime.host_tasks(most)
    return agent.thresholds.processes * most


_Of = Callable[[ObservabilityPlace, AgentClass | None], float]


def _ratio(of: Callable[[Thresholds], float]) -> _Of:
    return lambda _, agent: of(agent.thresholds if agent else DEFAULTS)


_WHAT: dict[str, _Of] = {
    "memory_ratio": _ratio(lambda t: t.memory),
    "cpu_ratio": _ratio(lambda t: t.cpu),
    "disk_ratio": _ratio(lambda t: t.disk),
    "leak_growth_ratio": _ratio(lambda t: t.leak),
    "exhaustion_hours": _ratio(lambda t: t.exhaustion),
    # increase() guesses a little beyond its samples: "more than 3" is above 3.5.
    "restarts_per_hour": _ratio(lambda t: t.restarts + 0.5),
    "idle_seconds": _ratio(lambda t: t.idle),
    "processes": lambda place, agent: (
        _processes(place, agent)
        if agent
        else DEFAULTS.processes * min((p.processes for p in place.pools.values()), default=1024)
    ),
    "pending_seconds": lambda _, agent: (
        agent.thresholds.pending_on(agent.tier) if agent else max(PENDING.values())
    ),
    "age_seconds": lambda _, agent: (
        agent.max_age * _HOUR + agent.thresholds.overdue
        if agent
        else _OLDEST * _HOUR + DEFAULTS.overdue
    ),
}


def _values(place: ObservabilityPlace, of: _Of) -> Iterator[tuple[str, float]]:
    yield "", of(place, None)
    for name, agent in place.classes.items():
        yield name, of(place, agent)
