"""Kubernetes quantities as integers: CPU in millicores, memory and disk in bytes."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

CPU_PATTERN = r"^([0-9]{1,6}m|[0-9]{1,4}(\.[0-9]{1,3})?)$"
BYTES_PATTERN = r"^[0-9]{1,9}(Ki|Mi|Gi|Ti)$"
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def parse_cpu(text: object) -> int:
    """Millicores of "500m", "2" or "1.5"; ValueError for anything else (also for 0)."""
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str) or not re.match(CPU_PATTERN, text):
        raise ValueError('must be a CPU quantity such as "500m", "2" or "1.5"')
    millicores = int(text[:-1]) if text.endswith("m") else round(float(text) * 1000)
    if millicores == 0:
        raise ValueError("must be more than zero")
    return millicores


def parse_bytes(text: object) -> int:
    """Bytes of "512Mi", "4Gi"; ValueError for anything else (also for 0)."""
    if not isinstance(text, str) or not re.match(BYTES_PATTERN, text):
        raise ValueError('must be a size with a binary unit such as "512Mi", "4Gi" or "1Ti"')
    size = int(text[:-2]) * _UNITS[text[-2:]]
    if size == 0:
        raise ValueError("must be more than zero")
    return size


def cpu_text(millicores: int) -> str:
    """The canonical Kubernetes text: 500 → "500m", 2000 → "2"."""
    return str(millicores // 1000) if millicores % 1000 == 0 else f"{millicores}m"


def bytes_text(size: int) -> str:
    """The canonical Kubernetes text: the largest binary unit that divides the size."""
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


Cpu = Annotated[
    int,
    BeforeValidator(parse_cpu),
    PlainSerializer(cpu_text, when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": CPU_PATTERN}, {"type": "integer", "minimum": 1}]}
    ),
]
Bytes = Annotated[
    int,
    BeforeValidator(parse_bytes),
    PlainSerializer(bytes_text, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": BYTES_PATTERN}),
]
