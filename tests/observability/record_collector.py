"""Records what the collector of logs says of itself: the figures that rules stand on.

    unshare --mount python -m tests.observability.record_collector FOLDER

It runs with the configuration that is deployed, but for what the heading of a part says. Needs Go,
and a mount namespace for the disk that is full.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from components.observability.inventory.log_collector import METRICS
from components.versions import COLLECTOR
from tests.observability.logs import figures
from tests.observability.logs.figures import LOST, NO_ROOM, PASSED, ROOM, SENT, TRIED, WAITS

COMMAND = (
    "unshare --mount python -m tests.observability.record_collector tests/observability/recorded"
)
PARTS = (
    ("the destination takes all", figures.takes, lambda now: now.get(SENT, 0) > 1000),
    ("it answers 400", figures.refuses, lambda now: LOST in now),
    ("it never answers", figures.hangs, lambda now: now.get(WAITS, 0) > 500_000),
    (
        "it never answers, and 1.5 MB may wait",
        figures.fills,
        lambda now: now.get(WAITS, 0) / now.get(ROOM, 1) > 0.8,
    ),
    (
        "the collector may use 4 MiB",
        figures.short_of_memory,
        lambda now: now.get(TRIED, 0) > now.get(PASSED, 0) + 400,
    ),
    ("it answers 503, and the disk has 1 MiB", figures.disk_full, lambda now: NO_ROOM in now),
)


def main() -> None:
    """Writes the file."""
    head = [
        f"# recorded: {datetime.now(UTC):%Y-%m-%d}",
        f"# version: OpenTelemetry Collector {COLLECTOR}",
        f"# command: {COMMAND}",
        "# the deployed configuration; trimmed to what rules may read, and of processors to two",
    ]
    for what, prepare, until in PARTS:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            text = figures.said(Path(folder), prepare, until)
        head += ["", f"# when: {what}", *_kept(text)]
    target = Path(sys.argv[1]) / "log-collector.txt"
    target.write_text("\n".join([*head, ""]), encoding="utf-8")


def _kept(text: str) -> Iterable[str]:
    wanted = {metric.name for metric in METRICS}
    for line in text.splitlines():
        name = line.split()[2] if line.startswith("# TYPE") else line.partition("{")[0]
        if name not in wanted or line.startswith("# HELP"):
            continue
        if "processor=" not in line or '"memory_limiter"' in line or '"transform/tidy"' in line:
            yield line


if __name__ == "__main__":
    main()
