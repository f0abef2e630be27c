"""Scrapes a node and kube-state-metrics: `python -m tests.observability.recording.scrape FOLDER`.

Ports and certificates are those of README.md in tests/observability/recorded.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

INTERVAL = 30
SCRAPES = 22
KUBELET, STATE_METRICS = "https://127.0.0.1:27410", "http://127.0.0.1:27420"
PATHS = {
    "resource": "/metrics/resource",
    "cadvisor": "/metrics/cadvisor",
    "volumes": "/metrics",
    "summary": "/stats/summary",
}
CERTIFICATES = ["--cacert", "ca.crt", "--cert", "admin.crt", "--key", "admin.key"]


def main() -> None:
    """Writes FOLDER/NNN-WHAT, one file for each answer; what doesn't answer in time leaves none."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    start = time.time()
    with ThreadPoolExecutor() as pool:
        for number in range(SCRAPES):
            time.sleep(max(0, start + INTERVAL * number - time.time()))
            kubelet = {what: KUBELET + path for what, path in PATHS.items()}
            targets = {**kubelet, "ksm": STATE_METRICS + "/metrics"}
            files = [folder / f"{number:03d}-{what}" for what in targets]
            list(pool.map(_ask, files, targets.values()))


def _ask(file: Path, url: str) -> None:
    asked = ["curl", "-s", "--max-time", str(INTERVAL - 2), "-o", str(file), *CERTIFICATES, url]
    if subprocess.run(asked, check=False).returncode:
        file.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
