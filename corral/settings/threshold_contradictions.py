"""Thresholds that each make sense alone, and could never be an alert where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from corral.settings.classes import AgentClass
from corral.settings.durations import duration_text
from corral.settings.observability import Observability
from corral.settings.problems import Problem, Said
from corral.settings.thresholds import LEAST_PENDING, Thresholds
from corral.settings.tiers import Tier

UNSEEN = {Tier.CONFIDENTIAL: ("disk", "disk_for", "processes")}
"""What nobody can measure on a tier, as no alert there reads it; a test compares them."""

LASTS = ("memory_for", "cpu_for", "disk_for", "idle")
"""How long something of a sandbox that runs must last before it is an alert. A start may be waited
for longer than a sandbox lives: its age is counted from there."""


def threshold_contradictions(
    *, observability: Observability | None, classes: Mapping[str, AgentClass]
) -> list[Problem]:
    """Every contradiction in what was written; defaults that a short-lived class outruns are none:
    it is restarted before they matter."""
    found: list[Problem] = []
    for name, agent in classes.items():
        found += [*_of_class(name, agent)]
        if observability is not None:
            found += [*_kept(name, agent, observability.prometheus.retention_days)]
    return found


def _of_class(name: str, agent: AgentClass) -> Iterator[Problem]:
    thresholds = agent.thresholds
    least = LEAST_PENDING[agent.tier]
    if thresholds.pending is not None and thresholds.pending < least:
        yield _problem(
            name,
            "pending",
            duration_text(thresholds.pending),
            rule=f"at least {duration_text(least)} on tier {agent.tier}: a start there may take "
            "that long with nothing wrong",
            fix=f"write {duration_text(least)} or more, or leave it out",
        )
    for field in LASTS:
        seconds = getattr(thresholds, field)
        if field in thresholds.model_fields_set and seconds >= agent.max_age * 3600:
            yield _problem(
                name,
                _key(field),
                duration_text(seconds),
                rule=f"less than max-age-hours, which is {agent.max_age}: no sandbox gets older, "
                "so that nothing of it lasts as long",
                fix="lower it, or leave it out",
            )
    for field in UNSEEN.get(agent.tier, ()):
        if field in thresholds.model_fields_set:
            value = getattr(thresholds, field)
            yield _problem(
                name,
                _key(field),
                duration_text(value) if isinstance(value, int) else f"{value:g}",
                rule=f"what is measured on tier {agent.tier}: nobody outside sees a guest's disks "
                "and processes, so that it could never be an alert",
                fix="remove it: the class's own limits still hold",
            )


def _kept(name: str, agent: AgentClass, days: int) -> Iterator[Problem]:
    hours = agent.thresholds.leak_hours
    if "leak_hours" not in agent.thresholds.model_fields_set:
        return
    if hours + 1 > min(days * 24, agent.max_age):
        bound = f"retention-days is {days}" if days * 24 < agent.max_age else ""
        bound = bound or f"no sandbox gets older than max-age-hours, {agent.max_age}"
        yield _problem(
            name,
            "leak-hours",
            str(hours),
            rule=f"one hour less than there are samples of: {bound}",
            fix=f"write {max(1, min(days * 24, agent.max_age) - 1)} or less, or raise that",
        )


def _key(field: str) -> str:
    return Thresholds.model_fields[field].alias or field


def _problem(name: str, key: str, value: str, *, rule: str, fix: str) -> Problem:
    return Problem(path=("classes", name, "thresholds", key), value=Said(value), rule=rule, fix=fix)
