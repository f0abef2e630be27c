"""One line of docs/benchmarks.md."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured figure beside what was promised."""

    what: str
    value: str
    promised: str
    kept: bool


def at_most(what: str, value: float, bound: float, unit: str) -> Figure:
    """One that may not be larger."""
    return _against(what, value, "≤", bound, unit, kept=value <= bound)


def at_least(what: str, value: float, bound: float, unit: str) -> Figure:
    """One that may not be smaller."""
    return _against(what, value, "≥", bound, unit, kept=value >= bound)


def _against(what: str, value: float, sign: str, bound: float, unit: str, *, kept: bool) -> Figure:
    sys.stderr.write(f"{what}: {value:.2f} {unit}\n")
    digits = 0 if value >= 20 else 1  # noqa: PLR2004 - as many as are worth reading
    return Figure(
        what=what,
        value=f"{value:.{digits}f} {unit}",
        promised=f"{sign} {bound:g} {unit}",
        kept=kept,
    )
