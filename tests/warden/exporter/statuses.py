"""What agents say, honest ones."""

from __future__ import annotations

import json
from typing import Any

PROCESS: dict[str, Any] = {
    "schema": 1,
    "instance": "42c1ae68ed69fd2f",
    "sequence": 1,
    "uptime": 5000.0,
    "resident": 52277248,
    "phase": "idle",
    "phase_seconds": 12.5,
    "beats": 2,
    "beat_seconds": 4.662,
    "safe_points": 0,
    "safe_point_seconds": None,
    "checkpoints_requested": 0,
    "checkpoints_taken": 0,
    "calls": {},
    "growths": [],
}


def process(**changed: Any) -> dict[str, Any]:
    """One process, with these fields changed."""
    return {**PROCESS, **changed}


def status(*processes: dict[str, Any], more: int = 0) -> bytes:
    """Of a pod."""
    return json.dumps({"schema": 1, "more": more, "processes": list(processes)}).encode()
