"""How much a call may grow its process's memory."""

from __future__ import annotations

import math
import re
from typing import NamedTuple, Union

Size = Union[int, str]

_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SIZE = re.compile(r"([0-9]{1,12})(KiB|MiB|GiB|)")

NOISE = 4 << 20
"""Bytes. Allocators take and give back memory in steps: growth below this says nothing about a
call, so a ratio alone is not passed by less."""


class Limits(NamedTuple):
    """Passing either is too much. None doesn't limit."""

    growth: int | None
    """Bytes."""
    ratio: float | None
    """Growth against the memory held at the call's beginning: 0.5 is half as much again."""

    def passed(self, *, start: int, growth: int) -> bool:
        """Whether growing by `growth` bytes from `start` is too much."""
        if self.growth is not None and growth > self.growth:
            return True
        return self.ratio is not None and growth > max(NOISE, self.ratio * start)

    def __bool__(self) -> bool:
        return self.growth is not None or self.ratio is not None

    def __str__(self) -> str:
        parts = []
        if self.growth is not None:
            parts.append(size_text(self.growth))
        if self.ratio is not None:
            parts.append(f"{self.ratio:g} of what it began with")
        return " or ".join(parts) or "none"


def limits(growth: Size | None, ratio: float | None) -> Limits:
    """ValueError names what can't be a limit."""
    if ratio is not None and not (
        type(ratio) in (int, float) and math.isfinite(ratio) and ratio > 0
    ):
        raise ValueError(f"max_ratio is a number above 0 such as 0.5, not {ratio!r}")
    return Limits(growth=None if growth is None else _bytes(growth), ratio=ratio)


def _bytes(size: Size) -> int:
    if type(size) is int and size > 0:
        return size
    if isinstance(size, str):
        match = _SIZE.fullmatch(size)
        if match and int(match[1]) > 0:
            return int(match[1]) * _UNITS[match[2]]
    raise ValueError(f"max_growth is bytes or a text such as '256MiB', above 0, not {size!r}")


def size_text(size: int) -> str:
    """`201326592` as `192.0 MiB`."""
    for unit in ("GiB", "MiB", "KiB"):
        if abs(size) >= _UNITS[unit]:
            return f"{size / _UNITS[unit]:.1f} {unit}"
    return f"{size} B"
