"""How fast a program can be registered in process when nothing is done about its resources.

    python -m benchmarks.engine_ceiling --tenants 1000 --monitor sdk

prints one line of JSON: {"monitor", "objects", "seconds", "objects_per_second", "peak_rss_mib"}.
`sdk` is the ceiling of the Pulumi SDK as it is: a monitor that does nothing, Python's defaults.
`corral` is the embedded engine's monitor with an executor that does nothing: what is left of the
engine without a cluster. Each needs a process of its own, for its peak of memory. Both run the
program as a preview, in which it starts no cluster.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import runpy
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STACK = "local"
WORKERS = 16


class DoNothing:
    """A monitor that answers each registration with its inputs."""

    def __init__(self) -> None:
        self.objects = 0

    def GetDeploymentInfo(self, _request: Any) -> Any:  # noqa: N802 - the service's name
        from pulumi.runtime.proto import resource_pb2 as proto  # noqa: PLC0415 - only measured runs

        features = (
            proto.RESOURCE_MONITOR_FEATURE_SECRETS,
            proto.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
        )
        return proto.DeploymentInfo(supportedFeatures=features)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the service's name
        from pulumi.runtime.proto import resource_pb2 as proto  # noqa: PLC0415 - only measured runs

        self.objects += request.custom
        return proto.RegisterResourceResponse(
            urn=f"urn:pulumi:{STACK}::corral::{request.type}::{request.name}",
            id=request.name if request.custom else "",
            object=request.object,
        )

    def RegisterResourceOutputs(self, _request: Any) -> None:  # noqa: N802 - the service's name
        return None

    def SignalAndWaitForShutdown(self, _request: Any) -> None:  # noqa: N802 - the service's name
        return None


def run_sdk(config: Mapping[str, str]) -> int:
    """Run the program on the SDK as Pulumi's Python host does; the number of objects."""
    from pulumi.runtime import Settings, run_in_stack, set_all_config  # noqa: PLC0415 - see above

    monitor = DoNothing()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    Settings(project="corral", stack=STACK, monitor=monitor, dry_run=True)
    set_all_config(dict(config))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with ThreadPoolExecutor(max_workers=WORKERS) as executor:
        loop.set_default_executor(executor)

        def program() -> None:
            runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

        loop.run_until_complete(run_in_stack(program))
    return monitor.objects


def run_corral(config: Mapping[str, str]) -> int:
    """Run the program on the embedded engine's monitor; the number of objects."""
    from corral.embedded.engine.program import run_program  # noqa: PLC0415 - only measured runs
    from corral.embedded.engine.registration import planned  # noqa: PLC0415

    class Planner:
        objects = 0

        def register(self, registration: Any) -> Any:
            self.objects += 1
            return planned(registration)

        def read(self, read: Any) -> Any:
            raise NotImplementedError(read.urn)

    planner = Planner()
    result = run_program(
        project=ROOT, stack=STACK, config=config, preview=True, executor=planner, workers=WORKERS
    )
    if not result.complete:
        raise SystemExit(result.error or result.failures[0].reason)
    return planner.objects


def main() -> None:
    """Measure one run in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--monitor", choices=("sdk", "corral"), default="sdk")
    arguments = parser.parse_args()
    from benchmarks import workload  # noqa: PLC0415 - its imports aren't part of the measurement

    config = workload.config(workload.settings(ROOT, tenants=arguments.tenants))
    begun = time.perf_counter()
    objects = {"sdk": run_sdk, "corral": run_corral}[arguments.monitor](config)
    seconds = time.perf_counter() - begun
    figures = {
        "monitor": arguments.monitor,
        "objects": objects,
        "seconds": round(seconds, 2),
        "objects_per_second": round(objects / seconds, 1),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    print(json.dumps(figures))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
