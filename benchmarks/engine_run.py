"""The platform with many tenants, carried out once by the embedded engine on a real API server.

    python -m benchmarks.engine_run --kubeconfig K --tenants 1000 --mode up

prints one line of JSON: {"mode", "tenants", "objects", "seconds", "objects_per_second",
"cpu_seconds", "peak_rss_mib"}. A second `up` is the run without changes. Each needs a process of
its own, for its peak of memory.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import orjson

from benchmarks import workload

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 16


def main() -> None:
    """Measures one run in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--tenants", type=int, default=100)
    parser.add_argument("--mode", choices=("up", "plan"), default="up")
    parser.add_argument("--ways-out", action="store_true", help="each tenant has one")
    options = parser.parse_args()
    chosen = workload.settings(
        ROOT, tenants=options.tenants, kubeconfig=options.kubeconfig, ways_out=options.ways_out
    )
    begun = time.perf_counter()
    objects = run(options.kubeconfig, workload.config(chosen), options.mode)
    seconds = time.perf_counter() - begun
    figures = {
        "mode": options.mode,
        "tenants": options.tenants,
        "objects": objects,
        "seconds": round(seconds, 2),
        "objects_per_second": round(objects / seconds, 1),
        "cpu_seconds": round(time.process_time(), 2),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    sys.stdout.write(orjson.dumps(figures).decode() + "\n")


def run(kubeconfig: Path, config: dict[str, str], mode: str) -> int:
    """One run of the engine; the number of objects it handled. Imports count: users pay them."""
    from corral.embedded.engine import Engine  # noqa: PLC0415 - its import is measured
    from corral.kubernetes import Access, Api  # noqa: PLC0415 - its import is measured

    api = Api.connect(Access(kubeconfig=kubeconfig, context="corral"), connections=WORKERS)
    engine = Engine(project=ROOT, stack="bench", config=config, api=api, workers=WORKERS)
    report = engine.plan() if mode == "plan" else engine.up()
    if not report.ok:
        raise SystemExit(f"failed: {[failure.reason for failure in report.failures][:5]}")
    return sum(report.counts.values())


if __name__ == "__main__":
    main()
