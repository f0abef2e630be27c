"""Trims what a node said to what rules read and what could fool them.

    python -m tests.observability.recording.node SCRAPED

SCRAPED is a folder of `scrape`, with files `NNN-cadvisor` and so on. It writes the .prom files of
tests/observability/recorded.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from components.observability.inventory.inventory import all_metrics
from tests.observability.recording.series import FOLDER, Labels, Scrape, header, lines, parsed
from tests.observability.recording.series import series as written

RUNTIMES = {"runc": "-container", "gvisor": "-gvisor"}
"""By runtime: how pods are called that run on it."""
NAMESPACES = ("agents-acme", "elsewhere")
INTERVAL = "30s"

NODE = (
    "kubelet 1.36.3 (cgroupfs driver, podPidsLimit 1024), containerd 2.2.4, runc 1.1.5, runsc "
    "20260905 (systrap), Linux 6.1.192 of Debian with cgroup v2 and PSI, 2 CPUs and 5 GiB in "
    "QEMU 7.2 without KVM"
)
STATE = "kube-state-metrics 2.20.0 with our labels and customResourceState, kube-apiserver 1.36.3"
COMMAND = "tests/observability/recorded/README.md"

NEIGHBOURS = {
    "resource": r"pod_(cpu|memory)_.*|resource_scrape_error",
    "cadvisor": r"container_threads_max",
    "volumes": r"kubelet_volume_stats_.*",
    "ksm": r"kube_pod_(init_container_resource_limits|status_qos_class)|kube_sandbox.*",
}
"""What stands beside the inventory's own and isn't to be counted."""
PATHS = {
    "resource": "/metrics/resource",
    "cadvisor": "/metrics/cadvisor",
    "volumes": "/metrics",
    "ksm": "",
}


def main() -> None:
    """Writes every file of the node."""
    scraped = Path(sys.argv[1])
    for runtime, ending in RUNTIMES.items():
        for what in ("resource", "cadvisor"):
            _write(scraped, what, f"kubelet-{what}-{runtime}.prom", ending)
    _write(scraped, "volumes", "kubelet-volumes.prom", "")
    _write(scraped, "ksm", "kube-state-metrics.prom", "")


def _write(scraped: Path, what: str, file: str, ending: str) -> None:
    answers = [_read(scraped / f"{number:03d}-{what}") for number in _numbers(scraped)]
    kept = [None if said is None else _kept(said, what, ending) for said in answers]
    whole = max(len(parsed(said)) for said in answers if said)
    day = datetime.fromtimestamp((scraped / f"000-{what}").stat().st_mtime, UTC).date()
    told = header(
        recorded=str(day),
        version=STATE if what == "ksm" else NODE,
        how=COMMAND,
        scrapes=f"{len(kept)}, one every {INTERVAL}; trimmed to what rules read and what stands "
        f"beside it, from {whole} series",
    )
    text = "\n".join([*told, *lines(kept), ""])
    (FOLDER / file).write_text(text, encoding="utf-8")


def _numbers(scraped: Path) -> range:
    return range(1 + max(int(file.name.partition("-")[0]) for file in scraped.iterdir()))


def _read(file: Path) -> str | None:
    """What it said; None where it said nothing."""
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return text or None


def _kept(said: str, what: str, ending: str) -> Scrape:
    return {
        written(name, {**labels, **_target(what)}): value
        for name, labels, value in parsed(said)
        if _wanted(name, labels, what, ending)
    }


def _target(what: str) -> Labels:
    if what == "ksm":
        return {"job": "kube-state-metrics", "instance": "10.0.0.1:8080"}
    return {"job": "kubelet", "instance": "node-1:10250", "metrics_path": PATHS[what]}


def _wanted(name: str, labels: Labels, what: str, ending: str) -> bool:
    if name not in _names(what) and not re.fullmatch(NEIGHBOURS[what], name):
        return False
    if labels.get("namespace", NAMESPACES[0]) not in NAMESPACES:
        return False
    if what == "cadvisor" and "pod" not in labels:
        return False  # Prometheus drops cgroups of no pod as well.
    return labels.get("pod", ending).endswith(ending)


def _names(what: str) -> frozenset[str]:
    return frozenset(_of(what))


def _of(what: str) -> Iterator[str]:
    job = "kube-state-metrics" if what == "ksm" else "kubelet"
    for metric in all_metrics():
        if (metric.source.job, metric.source.metrics_path) == (job, PATHS[what]):
            yield metric.name


if __name__ == "__main__":
    main()
