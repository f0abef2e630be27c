"""What it costs Prometheus to judge a fleet: measured in a process of its own, judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.figure import Figure, at_most
from benchmarks.observability.fleet import SCRAPE
from tests.project_copy import ROOT

RULES_SECONDS = 1
DEAREST = 3
MIB, GB, DAY = 2**20, 1e9, 86_400


def figures() -> Iterator[Figure]:
    """All of them."""
    path = ":".join(str(ROOT / part) for part in ("", "warden", "warden/guard"))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.observability.measure"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"benchmarks.observability.measure failed:\n{done.stderr[-2000:]}")
    yield from judged(json.loads(done.stdout))


def judged(found: dict[str, Any]) -> Iterator[Figure]:
    """What was measured beside what was promised. A run in which something wasn't judged, or a
    source wasn't scraped, counts for nothing."""
    whole = not (found["failed"] or found["missed"] or found["down"])
    dear = sorted(found["groups"].items(), key=lambda pair: -pair[1])[:DEAREST]
    named = ", ".join(f"{name.removeprefix('corral-')} {took:.2f} s" for name, took in dear)
    yield at_most(
        f"{found['rules']} rules for {found['sandboxes']:,.0f} sandboxes, judged every {SCRAPE} s: "
        "CPU of Prometheus in that time, less what it has without rules",
        found["cpu_seconds"] - found["scraping_cpu_seconds"],
        RULES_SECONDS,
        "s",
    )
    yield Figure(
        what="all that was scraped was judged, nothing late",
        value="yes" if whole else "no",
        promised="yes",
        kept=whole,
    )
    daily = found["samples_per_second"] * DAY * found["bytes_per_sample"]
    for what, value in (
        (
            "the same by the clock, all groups one after the other: least, median and most, with "
            f"whatever else the machine did (load {found['load']:.1f}; dearest at their slowest: "
            f"{named})",
            f"{found['least_seconds']:.2f} s, {found['usual_seconds']:.2f} s, "
            f"{found['seconds']:.2f} s",
        ),
        (
            f"CPU of Prometheus in {SCRAPE} s, scraping and judging",
            f"{found['cpu_seconds']:.2f} s",
        ),
        ("series of them in memory", f"{found['series']:,.0f}"),
        ("of those, scraped", f"{found['scraped']:,.0f}"),
        ("samples a second", f"{found['samples_per_second']:,.0f}"),
        (
            "memory of Prometheus (most)",
            f"{found['memory'] / MIB:.0f} MiB ({found['most_memory'] / MIB:.0f} MiB)",
        ),
        (
            f"disk in a day, at {found['bytes_per_sample']:.2f} bytes a sample",
            f"{daily / GB:.2f} GB",
        ),
    ):
        yield Figure(what=what, value=value, promised="–", kept=True)
