"""The guard's figures: measured in a process of its own, judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.figure import Figure, at_most
from tests.project_copy import ROOT

SHARE_PERCENT, CALL_US = 2, 20


def figures() -> Iterator[Figure]:
    """All of them."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.guard.measure"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "warden" / "guard")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"benchmarks.guard.measure failed:\n{done.stderr[-2000:]}")
    yield from judged(json.loads(done.stdout))


def judged(found: dict[str, float]) -> Iterator[Figure]:
    """What was measured beside what was promised."""
    yield at_most(
        f"what a guard with limits adds to a function of {found['work_ms']:.2f} ms",
        found["share_percent"],
        SHARE_PERCENT,
        "%",
    )
    yield at_most(
        "what it adds to a call that does nothing (without limits: "
        f"{found['measured_call_us']:.1f} µs)",
        found["call_us"],
        CALL_US,
        "µs",
    )
    yield at_most("the same for a coroutine", found["coroutine_us"], CALL_US, "µs")
    yield at_most("the same for each item of a generator", found["item_us"], CALL_US, "µs")
