"""Objectives as data, and their alerts over several windows.

An objective has two series: how much was bad and how much there was, at each evaluation. The share
that is bad in a window, by what the objective leaves, is its burn rate: 1 uses up a month's budget
in a month. Two windows must agree: the long one that it matters, the short one that it still is so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.observability.rules.rule import Alert, Group, Rule, Severity
from corral.settings.thresholds import FASTEST_BURN

SLOW_BURN = 3
_WINDOWS = ("5m", "1h", "2h", "1d")


@dataclass(frozen=True, kw_only=True)
class Objective:
    """One promise."""

    name: str
    """`gateway`: of its series, `slo:gateway:bad` and `slo:gateway:total`."""
    alert: str
    """`GatewayBudget`: alerts are called so, with `BurnsFast` and `BurnsSlowly` behind."""
    share: float
    """What must be good, below 1."""
    means: str
    """What is bad, as a sentence's end: `sandboxes that weren't ready in time`."""
    action: str
    series: Sequence[Rule]
    """What records both series, and what they stand on."""


def objective_group(objective: Objective) -> Group:
    """Its series, shares by window, and two alerts."""
    name = objective.name
    return Group(
        name=f"slo-{name.replace('_', '-')}",
        rules=(
            *objective.series,
            *(
                Rule(
                    record=f"slo:{name}:bad_ratio_{window}",
                    expr=f"sum_over_time(slo:{name}:bad[{window}])"
                    f" / sum_over_time(slo:{name}:total[{window}])",
                )
                for window in _WINDOWS
            ),
            _alert(objective, "BurnsFast", FASTEST_BURN, ("1h", "5m"), Severity.CRITICAL),
            _alert(objective, "BurnsSlowly", SLOW_BURN, ("1d", "2h"), Severity.WARNING),
        ),
    )


def _alert(
    objective: Objective,
    ending: str,
    burn: float,
    windows: tuple[str, str],
    severity: Severity,
) -> Alert:
    limit = f"{burn * (1 - objective.share):.10g}"
    long, short = (f"slo:{objective.name}:bad_ratio_{window}" for window in windows)
    return Alert(
        name=f"{objective.alert}{ending}",
        expr=f"{long} > {limit} and {short} > {limit}",
        severity=severity,
        summary=f"The objective of {objective.share:.10g} for {objective.name} is being missed",
        description=f"Over {windows[0]}, {{{{ $value | humanizePercentage }}}} were "
        f"{objective.means}: {burn:g} times what a month allows, and more.",
        action=objective.action,
    )
