"""The exporter's figures: the program that is deployed, scraped over TLS as Prometheus does it."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3

from benchmarks.exporter.stage import SANDBOXES, table
from benchmarks.figure import Figure, at_least, at_most
from tests.project_copy import ROOT
from tests.warden.egress.ports import free_port

SCRAPE_MS, MEMORY_MIB = 500, 200
SCRAPES = 15
SERIES_EACH = 6
"""Of one sandbox at least, before anything can be said of its growth."""
PATIENCE = 180.0
MIB = 2**20


def figures() -> Iterator[Figure]:
    """All of them."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as (url, process):
        yield from judged(measure(url, process))


def judged(found: dict[str, float]) -> Iterator[Figure]:
    """What was measured beside what was promised."""
    many = f"{SANDBOXES:,} sandboxes"
    yield at_most(
        f"a scrape of the exporter at {many} "
        f"({found['series']:,.0f} series, {found['mebibytes']:.0f} MiB, over TLS)",
        found["scrape_ms"],
        SCRAPE_MS,
        "ms",
    )
    yield at_most("its slowest", found["slowest_ms"], SCRAPE_MS, "ms")
    yield at_most(f"its most memory at {many}", found["memory_mib"], MEMORY_MIB, "MiB")
    yield at_least("series that it told of them", found["series"], SANDBOXES * SERIES_EACH, "")


def measure(url: str, process: int) -> dict[str, float]:
    """Scrapes while it asks agents, as it always does."""
    http = urllib3.PoolManager(cert_reqs="CERT_NONE", assert_hostname=False)
    text = ""

    def asked() -> bool:
        nonlocal text
        text = http.request("GET", url).data.decode()
        return text.count("corral_sandbox_leak_suspect{") >= SANDBOXES

    _until(asked)
    times = []
    for _ in range(SCRAPES):
        begun = time.perf_counter()
        body = http.request("GET", url).data
        times.append(1e3 * (time.perf_counter() - begun))
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return {
        "scrape_ms": statistics.median(times),
        "slowest_ms": max(times),
        "mebibytes": len(body) / MIB,
        "series": sum(not line.startswith("#") for line in text.splitlines()),
        "memory_mib": int(peak) / 1024,
    }


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, int]]:
    """The exporter and its stage; the address of its figures, and its process."""
    stage = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.exporter.stage"], cwd=ROOT, stdout=subprocess.PIPE
    )
    exporter: subprocess.Popen[bytes] | None = None
    try:
        if stage.stdout is None:
            raise SystemExit("benchmarks.exporter: the stage says nothing")
        ports = json.loads(stage.stdout.readline())
        (folder / "table.json").write_text(json.dumps(table()), encoding="utf-8")
        (folder / "kubeconfig").write_text(json.dumps(_kubeconfig(ports["api"])), encoding="utf-8")
        port = free_port()
        warden = ROOT / "warden"
        exporter = subprocess.Popen(
            [
                *(sys.executable, "-m", "warden.exporter"),
                *("--table", str(folder / "table.json")),
                *("--kubeconfig", str(folder / "kubeconfig")),
                *("--address", "127.0.0.1", "--port", str(port)),
                *("--agents-port", str(ports["agents"])),
            ],
            env={**os.environ, "PYTHONPATH": f"{warden}{os.pathsep}{warden / 'guard'}"},
        )
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        http = urllib3.PoolManager(cert_reqs="CERT_NONE", assert_hostname=False, retries=False)
        _until(lambda: _ready(http, port))
        yield f"https://127.0.0.1:{port}/metrics", exporter.pid
    finally:
        for process in (exporter, stage):
            if process is not None:
                process.terminate()
                process.wait(timeout=30)


def _ready(http: urllib3.PoolManager, port: int) -> bool:
    try:
        return http.request("GET", f"https://127.0.0.1:{port}/ready").status == 200  # noqa: PLR2004
    except urllib3.exceptions.HTTPError:
        return False


def _until(question: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not question():
        if time.monotonic() > ends:
            raise SystemExit(f"benchmarks.exporter: not within {PATIENCE:.0f} s")
        time.sleep(0.5)


def _kubeconfig(port: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "x", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "x", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "current-context": "x",
    }
