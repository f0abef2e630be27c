"""Counters that should stand still."""

from __future__ import annotations


def grew(series: str, window: str) -> str:
    """That it grew within the window, whoever counts it began anew in between or not."""
    return f"increase({series}[{window}]) > 0"


def appeared_or_grew(series: str, window: str) -> str:
    """The same of a series that isn't there before it first counts something: `increase` alone
    knows nothing of a beginning."""
    return f"{grew(series, window)}\nor\n{series} unless {series} offset {window}"
