"""What the embedded cluster is made of at this moment."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_LINES = 12
_WIDTH = 400
_TAIL = 256 << 10
_PANICS = ("panic: ", "fatal error: ")


@dataclass(frozen=True, kw_only=True)
class PartStatus:
    """One process."""

    name: str
    running: bool
    pid: int | None
    """None unless it runs."""
    version: str
    since: float | None
    """When it was started, in seconds since 1970; None where it was stopped or never started."""
    log: Path
    last_lines: tuple[str, ...] = ()
    """Of its log, if it died: was started and ended without being told to."""


@dataclass(frozen=True, kw_only=True)
class ClusterStatus:
    """All processes, in the order of starting."""

    parts: tuple[PartStatus, ...]
    kubeconfig: Path

    @property
    def running(self) -> bool:
        """Whether every process runs."""
        return all(part.running for part in self.parts)

    @property
    def died(self) -> tuple[PartStatus, ...]:
        """The processes that ended without being told to."""
        return tuple(part for part in self.parts if not part.running and part.since is not None)

    def as_document(self) -> dict[str, Any]:
        """As plain JSON; times in UTC, ISO 8601."""
        return {
            "running": self.running,
            "kubeconfig": str(self.kubeconfig),
            "parts": [
                {
                    **asdict(part),
                    "log": str(part.log),
                    "since": None if part.since is None else _iso(part.since),
                    "last_lines": list(part.last_lines),
                }
                for part in self.parts
            ],
        }


def last_lines(log: Path) -> tuple[str, ...]:
    """The last lines of a log, long ones cut; of a Go program that panicked those around the panic,
    which stands above a trace that may be long. () where there is no log."""
    try:
        with log.open(encoding="utf-8", errors="replace") as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            lines = [line.rstrip() for line in file if line.strip()]
    except FileNotFoundError:
        return ()
    panics = [number for number, line in enumerate(lines) if line.startswith(_PANICS)]
    end = panics[0] + _LINES // 2 if panics else len(lines)
    said = lines[max(0, min(end, len(lines)) - _LINES) : end]
    return tuple(line if len(line) <= _WIDTH else f"{line[:_WIDTH]}…" for line in said)


def _iso(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")
