"""Values over the sample's hours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from tests.observability.rules.series import LONG

START = 1_795_392_000
"""2026-11-23 00:00 UTC."""
HOURS = 5
STEP = 30
END = START + HOURS * 3600

Curve = Callable[[float], float | None]
"""Of the hours since the beginning; None where there is nothing yet, or nothing any more."""

GIB = 1 << 30
_CURVES: dict[str, Curve] = {}


def curve(of: Curve) -> str:
    """A value for a builder, which takes text."""
    name = f"curve-{len(_CURVES)}"
    _CURVES[name] = of
    return name


def wave(middle: float, height: float, phase: float = 0.0) -> str:
    return curve(lambda t: middle + height * math.sin(2.2 * t + phase))


def counter(a_second: float, since: float = 0.0, before: float = 0.0) -> str:
    """Counts at that rate from an hour on, and at another before."""

    def of(t: float) -> float:
        return round(min(t, since) * 3600 * before + max(0.0, t - since) * 3600 * a_second)

    return curve(of)


def since(hour: float, value: float = 1) -> str:
    return curve(lambda t: value if t >= hour else None)


def rising(a_hour: float, since: float, *, whole: bool = False) -> str:
    """Nothing until then, and that much more each hour."""

    def of(t: float) -> float:
        found = max(0.0, (t - since) * a_hour)
        return math.floor(found) if whole else found

    return curve(of)


def steps(before: float, at: float, after: float) -> str:
    """One value until that hour, and another from then on."""
    return curve(lambda t: before if t < at else after)


def values(value: str) -> Iterator[tuple[int, float]]:
    """(Unix seconds, value) of what a builder was given."""
    of = _CURVES.get(value)
    steady_value = None if of else float(value.removesuffix(LONG))
    for at in range(START, END + 1, STEP):
        found = of((at - START) / 3600) if of else steady_value
        if found is not None:
            yield at, found
