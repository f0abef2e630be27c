"""Kubernetes quantities as integers: CPU in millicores, memory and disk in bytes."""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from corral.settings.problems import Expected, NotAllowedError

# No figure that matches reaches 2**63, where Kubernetes' quantities end. Lookaheads keep zero out.
CPU_PATTERN = r"^(?!0+(\.0+)?m?$)([0-9]{1,6}m|[0-9]{1,4}(\.[0-9]{1,3})?)$"
BYTES_PATTERN = r"^(?!0+[KMGT]i$)([0-9]{1,9}[KMG]i|[0-9]{1,6}Ti)$"
MOST_CPU = 9999.999

_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_CPU = Expected('a CPU quantity such as 2, 1.5 or "500m"')
_BYTES = Expected('a size with a binary unit, such as "512Mi", "4Gi" or "1Ti"')
_ZERO = re.compile(r"0+(\.0+)?([KMGT]i|m)?")
_DECIMAL_UNIT = re.compile(r"([0-9]{1,9}) ?([kKMGT])([bB]|iB)?")


def parse_cpu(value: object) -> int:
    """Millicores of "500m", "2", 2 or 1.5. Numbers count to three decimals, exactly.

    Raises NotAllowedError (a ValueError) for anything else, also for zero.
    """
    text = _number_text(value)
    if not isinstance(text, str) or not re.fullmatch(CPU_PATTERN, text):
        raise _refused(
            text, _CPU, fix='write whole CPUs (2), a fraction (1.5) or millicores ("500m")'
        )
    return int(text[:-1]) if text.endswith("m") else int(Decimal(text) * 1000)


def parse_bytes(value: object) -> int:
    """Bytes of "512Mi" or "4Gi".

    Raises NotAllowedError (a ValueError) for anything else, also for zero.
    """
    if not isinstance(value, str) or not re.fullmatch(BYTES_PATTERN, value):
        raise _refused(value, _BYTES, fix=_with_unit(value))
    return int(value[:-2]) * _UNITS[value[-2:]]


def cpu_text(millicores: int) -> str:
    """The canonical Kubernetes text: 500 → "500m", 2000 → "2"."""
    return str(millicores // 1000) if millicores % 1000 == 0 else f"{millicores}m"


def bytes_text(size: int) -> str:
    """The canonical Kubernetes text: the largest binary unit that divides the size."""
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


def _number_text(value: object) -> object:
    """A number in range as the text that it reads as; anything else unchanged."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if not 0 <= value <= MOST_CPU or not isfinite(value):
        return value
    return format(Decimal(str(value)), "f")


def _refused(value: object, expected: Expected, *, fix: str) -> NotAllowedError:
    if (isinstance(value, str) and _ZERO.fullmatch(value)) or value in (0, "0"):
        return NotAllowedError(rule=f"{expected.text}, more than zero", fix=fix)
    return NotAllowedError(rule=expected.text, fix=fix)


def _with_unit(value: object) -> str:
    if isinstance(value, str) and (match := _DECIMAL_UNIT.fullmatch(value)):
        return f"write {match[1]}{match[2].upper()}i"
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 2**20:
        return f"add the unit, for instance {value}Gi"
    return "write digits and one of Ki, Mi, Gi, Ti, without a space"


Cpu = Annotated[
    int,
    BeforeValidator(parse_cpu),
    PlainSerializer(cpu_text, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": CPU_PATTERN},
                {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_CPU},
            ]
        }
    ),
    _CPU,
]
Bytes = Annotated[
    int,
    BeforeValidator(parse_bytes),
    PlainSerializer(bytes_text, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": BYTES_PATTERN}),
    _BYTES,
]
