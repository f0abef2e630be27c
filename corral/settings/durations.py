"""Lengths of time as whole seconds, written as Prometheus and people do: 30s, 5m, 2h, 1d."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from corral.settings.problems import Expected, NotAllowedError

DURATION_PATTERN = r"^[1-9][0-9]{0,4}[smhd]$"
_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = Expected('a length of time in s, m, h or d, such as "30s", "5m" or "2h"')


def parse_duration(value: object) -> int:
    """Seconds of "5m". Raises NotAllowedError (a ValueError) for anything else, also for zero."""
    if not isinstance(value, str) or not re.fullmatch(DURATION_PATTERN, value):
        fix = "write a whole number above zero and one of s, m, h, d"
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**5:
            fix = f"add the unit, for instance {value}m"
        raise NotAllowedError(rule=_DURATION.text, fix=fix)
    return int(value[:-1]) * _UNITS[value[-1]]


def duration_text(seconds: int) -> str:
    """The shortest text of whole units: 300 → "5m"."""
    unit = next(unit for unit, size in _UNITS.items() if seconds % size == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    PlainSerializer(duration_text, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN}),
    _DURATION,
]
