"""Offline plans of stacks on AWS, each in a process of its own: seconds, and its peak of memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.project_copy import ROOT, copy_project

RUNS: Final = 5
FEW, MANY = 5, 50
POOL: Final = {"tier": "gvisor", "machines": "virtual", "min-nodes": 1, "max-nodes": 2}


@dataclass(frozen=True, kw_only=True)
class Planned:
    """Medians of several plans, and the highest peak."""

    seconds: float
    cpu_seconds: float
    """Of the process, whatever else the machine did meanwhile: for ratios."""
    peak_mib: float


def plan(project: Path, stack: str) -> Planned:
    """`corral plan STACK --offline`, several times."""
    runs = [_once(project, stack) for _ in range(RUNS)]
    return Planned(
        seconds=statistics.median(run.seconds for run in runs),
        cpu_seconds=statistics.median(run.cpu_seconds for run in runs),
        peak_mib=max(run.peak_mib for run in runs),
    )


def with_pools(folder: Path, count: int) -> Path:
    """A copy of the project whose stack `pools` is prod with that many pools in all."""
    project = copy_project(folder)
    stacks = project / "stacks"
    settings: dict[str, Any] = deepcopy(
        yaml.safe_load((stacks / "Pulumi.prod.yaml").read_text(encoding="utf-8"))["config"]
    )
    pools = settings["corral:settings"]["pools"]
    pools |= {f"more-{number}": POOL for number in range(count - len(pools))}
    # So many nodes say more of themselves than prod's own have room for.
    settings["corral:settings"]["observability"]["prometheus"]["storage"] = "500Gi"
    written = yaml.safe_dump({"config": settings})
    (stacks / "Pulumi.pools.yaml").write_text(written, encoding="utf-8")
    return project


def _once(project: Path, stack: str) -> Planned:
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "corral", "plan", stack, "--offline", "--json", os.devnull],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    said = process.stderr.read() if process.stderr else b""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"corral plan {stack} failed:\n{said.decode()[-2000:]}")
    return Planned(
        seconds=seconds,
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_mib=used.ru_maxrss / 1024,
    )
