"""A clock that runs thirty times as fast: what settles how often and how long is divided by it.

Prometheus and Alertmanager have no clock of their own to turn. So every interval, `for` and pause
of what is deployed is shortened alike, and what is promised with it. Windows of expressions stay as
they are: what they look back on is there already, as blocks of Prometheus.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from components.observability.rules.rule import Alert, Group
from corral.settings.durations import parse_duration
from corral.settings.observability import SCRAPE_SECONDS

FASTER = 30
GROUP_WAIT, GROUP_INTERVAL = "group_wait", "group_interval"
_PAUSES = (GROUP_WAIT, GROUP_INTERVAL, "repeat_interval")
_UNITS = {"s": 1, "m": 60, "h": 3600}
MACHINE_SECONDS = 20.0
"""What a busy machine may add to anything: a deadline's slack, and no figure of speed."""


def seconds(duration: str) -> float:
    """Of `15s`, `5m`, `4h`; "" is none."""
    if not duration:
        return 0.0
    found = re.fullmatch(r"(\d+)([smh])", duration)
    return float(int(found[1]) * _UNITS[found[2]]) if found else float(parse_duration(duration))


def short(duration: str | float) -> str:
    """As configurations write what is left of it."""
    length = seconds(duration) if isinstance(duration, str) else duration
    return f"{round(1000 * length / FASTER)}ms"


EVALUATIONS = short(float(SCRAPE_SECONDS))
SCRAPES = "1s"
"""Not faster than that: a scrape that a busy machine doesn't finish in time has its source down."""


def faster_rules(groups: Iterable[Group]) -> list[Group]:
    """The same groups: intervals and `for` are shorter, and nothing else is other."""
    return [
        replace(
            group,
            interval=short(group.interval) if group.interval else "",
            rules=tuple(
                replace(rule, hold=short(rule.hold))
                if isinstance(rule, Alert) and rule.hold
                else rule
                for rule in group.rules
            ),
        )
        for group in groups
    ]


def faster_routes(route: dict[str, Any]) -> dict[str, Any]:
    """The same tree of routes, with shorter pauses."""
    found = {key: short(each) if key in _PAUSES else each for key, each in route.items()}
    if "routes" in route:
        found["routes"] = [faster_routes(each) for each in route["routes"]]
    return found


def promised(alert: Alert, group: Group, pause: str) -> float:
    """Seconds, on the true clock, from the moment on which what it is about is so until it is sent:
    one scrape, two evaluations, its `for`, and Alertmanager's pause for others of its group."""
    evaluated = seconds(group.interval) or SCRAPE_SECONDS
    return SCRAPE_SECONDS + 2 * evaluated + seconds(alert.hold) + seconds(pause)


def deadline(length: float) -> float:
    """Seconds on this clock by which something must be so that is promised within that length."""
    return length / FASTER + MACHINE_SECONDS
