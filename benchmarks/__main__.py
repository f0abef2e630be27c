"""`make bench`: every figure that the project promises, from one run, into docs/benchmarks.md.

Takes about twenty minutes on two cores. Speeds of several runs on one machine vary by a
fifth; ratios within one run are what to compare.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from benchmarks import cloud_plan, pulumi_run
from benchmarks.exporter.figures import figures as exporter_figures
from benchmarks.figure import Figure, at_least, at_most
from benchmarks.guard.figures import figures as guard_figures
from benchmarks.network.figures import figures as network_figures
from benchmarks.observability.figures import figures as observability_figures
from corral.embedded.cluster import PROGRAMS, Binaries, EmbeddedCluster, Silent, default_cache
from corral.local_cluster import simulated_nodes
from corral.settings.loading import load_stack_file, stack_file
from tests.project_copy import ROOT, copy_project, corral

FEW, MANY = 100, 1000
PEAK_MIB = 450
FLAT = 1.2
FASTER_THAN_PULUMI = 10
OFFLINE_RUNS = 5
CLOUD_SECONDS, CLOUD_MIB, CLOUD_GROWTH = 4, 400, 3
UP_RUNS = 3


def main() -> None:
    """Measures and writes; exit code 1 when a promise is not kept."""
    argparse.ArgumentParser(
        prog="make bench",
        description="Measures every figure that is promised, for twenty minutes on two cores, and "
        "writes docs/benchmarks.md. Exit code 1 when a promise is not kept.",
    ).parse_args()
    Binaries(default_cache()).ensure((*PROGRAMS,), Silent())
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as name:
        folder = Path(name)
        figures = [
            *_first_contact(folder),
            *_cloud_plans(folder),
            *_load(folder),
            *network_figures(),
            *guard_figures(),
            *observability_figures(),
            *exporter_figures(),
        ]
    _write(figures)
    sys.exit(0 if all(figure.kept for figure in figures) else 1)


def _first_contact(folder: Path) -> Iterator[Figure]:
    project = copy_project(folder / "contact")
    seconds = []
    for _ in range(UP_RUNS):
        seconds.append(_timed(lambda: _corral(project, "up", "local")))
        _corral(project, "cluster", "reset", "--yes")
    yield at_most(
        "`corral up local` on nothing, binaries cached", statistics.median(seconds), 25, "s"
    )
    _corral(project, "up", "local")
    _corral(project, "cluster", "stop")
    stopped = _timed(lambda: _corral(project, "up", "local"))
    yield at_most("`corral up local` from stopped", stopped, 25, "s")
    again = _timed(lambda: _corral(project, "up", "local"))
    yield Figure(what="`corral up local` again", value=f"{again:.1f} s", promised="–", kept=True)
    _corral(project, "cluster", "reset", "--yes")
    plans = [
        _timed(lambda: _corral(project, "plan", "local", "--offline")) for _ in range(OFFLINE_RUNS)
    ]
    yield at_most("`corral plan local --offline`", statistics.median(plans), 2, "s")


def _cloud_plans(folder: Path) -> Iterator[Figure]:
    few = cloud_plan.with_pools(folder / "few-pools", cloud_plan.FEW)
    many = cloud_plan.with_pools(folder / "many-pools", cloud_plan.MANY)
    prod = cloud_plan.plan(few, "prod")
    yield at_most(
        "`corral plan prod --offline`, all three layers", prod.seconds, CLOUD_SECONDS, "s"
    )
    yield Figure(
        what="peak memory of that",
        value=f"{prod.peak_mib:.0f} MiB",
        promised=f"≤ {CLOUD_MIB} MiB",
        kept=prod.peak_mib <= CLOUD_MIB,
    )
    before, after = cloud_plan.plan(few, "pools"), cloud_plan.plan(many, "pools")
    growth = after.cpu_seconds / before.cpu_seconds
    yield Figure(
        what=f"the same with {cloud_plan.MANY} node pools ({after.cpu_seconds:.1f} s of CPU) "
        f"against {cloud_plan.FEW} ({before.cpu_seconds:.1f} s)",
        value=f"{growth:.1f} times",
        promised=f"≤ {CLOUD_GROWTH} times",
        kept=growth <= CLOUD_GROWTH,
    )


def _load(folder: Path) -> Iterator[Figure]:
    with _cluster(folder / "few") as cluster:
        few = _engine(cluster, FEW)
    with _cluster(folder / "many") as cluster:
        many = _engine(cluster, MANY)
        ceiling = _measured("benchmarks.engine_ceiling", "--tenants", str(MANY))
        unchanged = _engine(cluster, MANY)
    rate, bare = unchanged["objects_per_second"], ceiling["objects_per_second"]
    yield at_least(
        f"first apply of {MANY} tenants ({many['objects']} objects)",
        many["objects_per_second"],
        150,
        "a second",
    )
    yield at_least(f"the same without a change ({unchanged['seconds']} s)", rate, 200, "a second")
    yield Figure(
        what=f"that against the SDK alone ({bare} objects a second on a monitor that does nothing)",
        value=f"{100 * rate / bare:.0f} %",
        promised="≥ 60 %",
        kept=rate >= 0.6 * bare,
    )
    peak = max(many["peak_rss_mib"], unchanged["peak_rss_mib"])
    yield Figure(
        what="peak memory of the engine",
        value=f"{peak:.0f} MiB",
        promised=f"≤ {PEAK_MIB} MiB",
        kept=peak <= PEAK_MIB,
    )
    # A run's fixed part (imports, the proof that admission is enforced) is taken out: what is left
    # is what one more object costs.
    cost = (many["seconds"] / many["objects"]) / (few["seconds"] / few["objects"])
    marginal = (many["seconds"] - few["seconds"]) / (many["objects"] - few["objects"])
    yield Figure(
        what=f"seconds per object at {MANY} tenants against {FEW} ({few['objects_per_second']} "
        f"objects a second there; one more object costs {1000 * marginal:.1f} ms)",
        value=f"{cost:.2f}",
        promised=f"≤ {FLAT}",
        kept=cost <= FLAT,
    )
    yield from _against_pulumi(folder, many["objects_per_second"])


def _against_pulumi(folder: Path, ours: float) -> Iterator[Figure]:
    absent = pulumi_run.missing()
    for number, tuning in enumerate(pulumi_run.TUNINGS):
        what = f"that first apply against `pulumi up`, {tuning.name}"
        if absent:
            yield Figure(
                what=what, value=f"not measured: no {absent[0]} on PATH", promised="–", kept=True
            )
            continue
        with _cluster(folder / f"pulumi-{number}-cluster") as cluster:
            theirs = pulumi_run.run(
                _made(folder / f"pulumi-{number}"),
                kubeconfig=cluster.kubeconfig,
                tenants=FEW,
                tuning=tuning,
            )
        sys.stderr.write(f"pulumi, {tuning.name}: {theirs}\n")
        ratio = ours / theirs["objects_per_second"]
        promised = tuning is pulumi_run.AS_IT_COMES
        yield Figure(
            what=f"{what} ({theirs['objects']:.0f} objects, "
            f"{theirs['objects_per_second']} a second)",
            value=f"{ratio:.1f} times",
            promised=f"≥ {FASTER_THAN_PULUMI} times" if promised else "–",
            kept=not promised or ratio >= FASTER_THAN_PULUMI,
        )


@contextmanager
def _cluster(state: Path) -> Iterator[EmbeddedCluster]:
    pools = load_stack_file(stack_file("local", ROOT)).pools
    cluster = EmbeddedCluster(state, default_cache())
    try:
        cluster.start(simulated_nodes(pools), Silent())
        yield cluster
    finally:
        cluster.reset()


def _engine(cluster: EmbeddedCluster, tenants: int) -> dict[str, Any]:
    return _measured(
        "benchmarks.engine_run",
        *("--kubeconfig", str(cluster.kubeconfig), "--tenants", str(tenants)),
    )


def _measured(module: str, *arguments: str) -> dict[str, Any]:
    """Runs a measurement in a process of its own; its line of JSON."""
    result = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise SystemExit(f"{module} failed:\n{result.stderr[-2000:]}")
    figures: dict[str, Any] = orjson.loads(result.stdout.splitlines()[-1])
    sys.stderr.write(f"{module} {' '.join(arguments)}: {result.stdout}")
    return figures


def _corral(project: Path, *arguments: str) -> None:
    result = corral(project, *arguments)
    if result.returncode != 0:
        raise SystemExit(f"corral {' '.join(arguments)} failed:\n{result.stderr}")


def _timed(action: Callable[[], None]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _write(figures: list[Figure]) -> None:
    rows = "".join(
        f"| {f.what} | {f.value} | {f.promised} | {'yes' if f.kept else '**no**'} |\n"
        for f in figures
    )
    path = ROOT / "docs" / "benchmarks.md"
    path.write_text(
        "# Benchmarks\n"
        "Written by `make bench`: one run, everything on one machine, the API server beside the "
        "engine. Absolute figures move with the machine and its neighbours; ratios hold better.\n\n"
        f"{_machine()}\n\n"
        f"| what | measured | promised | kept |\n|---|---|---|---|\n{rows}",
        encoding="utf-8",
    )
    sys.stderr.write(f"written: {path}\n")


def _machine() -> str:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    load = os.getloadavg()[2]
    return (
        f"{today}, {os.cpu_count()} × {model}, {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}; load average over the quarter of an hour at the end: "
        f"{load:.1f}."
    )


if __name__ == "__main__":
    main()
