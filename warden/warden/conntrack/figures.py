"""What the agent has done, in figures and in lines of JSON."""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_MEANINGS = {
    "flushes": "Looks through the kernel's table for one address, by reason.",
    "deleted_entries": "Entries that were deleted, by reason.",
    "retries": "Looks that the kernel didn't let through, and that were tried again.",
    "failures": "Addresses given up on until their next turn.",
}


@dataclass(kw_only=True)
class Figures:
    """Counts since the agent started."""

    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    shut: int = 0
    """Addresses that may have no connection now."""

    def count(self, name: str, reason: str, by: int = 1) -> None:
        """One more, or `by`."""
        self._counts[name, reason] += by

    def text(self) -> str:
        """https://prometheus.io/docs/instrumenting/exposition_formats/"""
        lines = []
        for name, meaning in _MEANINGS.items():
            full = f"corral_conntrack_{name}_total"
            lines += [f"# HELP {full} {meaning}", f"# TYPE {full} counter"]
            for (counted, reason), value in sorted(self._counts.items()):
                if counted == name:
                    lines.append(f'{full}{{reason="{reason}"}} {value}')
        full = "corral_conntrack_shut_addresses"
        lines += [f"# HELP {full} Addresses that may have no connection.", f"# TYPE {full} gauge"]
        return "\n".join([*lines, f"{full} {self.shut}", ""])


class JsonLines(logging.Formatter):
    """Each record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """`fields` of the record stand beside time, level and message."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)
