"""The platform carried out by Pulumi on a real API server, for comparison.

Needs `pulumi`, `pulumi-language-python` and `pulumi-resource-kubernetes` on PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import yaml

from benchmarks import workload
from tests.project_copy import ROOT, copy_project

PROGRAMS = ("pulumi", "pulumi-language-python", "pulumi-resource-kubernetes")


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """One way to run Pulumi."""

    name: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


_LIMITS = {"PULUMI_K8S_CLIENT_QPS": "400", "PULUMI_K8S_CLIENT_BURST": "800"}
_PARALLEL = ("--parallel", "64")
# A snapshot of the state per resource is what costs most with a backend in a folder.
_NO_CHECKPOINTS = {"PULUMI_SKIP_CHECKPOINTS": "true", "PULUMI_EXPERIMENTAL": "true"}

AS_IT_COMES = Tuning(name="as it comes")
TUNINGS = (
    AS_IT_COMES,
    Tuning(name="`--parallel 64`, raised client limits", arguments=_PARALLEL, environment=_LIMITS),
    Tuning(
        name="the same without checkpoints",
        arguments=_PARALLEL,
        environment={**_LIMITS, **_NO_CHECKPOINTS},
    ),
)
BOUND = 1800
"""Seconds for one run."""


def missing() -> list[str]:
    """The programs that are not on PATH."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


def run(folder: Path, *, kubeconfig: Path, tenants: int, tuning: Tuning) -> dict[str, float]:
    """`pulumi up` of the platform with that many tenants on an empty cluster, state in a folder:
    {"objects", "seconds", "objects_per_second"}."""
    project = copy_project(folder / "project")
    chosen = workload.settings(ROOT, tenants=tenants, kubeconfig=kubeconfig)
    settings = orjson.loads(workload.document(chosen))
    (project / "stacks" / "Pulumi.bench.yaml").write_text(
        yaml.safe_dump({"config": {"corral:settings": settings}}), encoding="utf-8"
    )
    for name in ("state", "home"):
        (folder / name).mkdir()
    environment = {
        **os.environ,
        **tuning.environment,
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "bench",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
    }
    _pulumi(project, environment, "stack", "init", "bench")
    begun = time.perf_counter()
    _pulumi(
        project,
        environment,
        *("up", "--yes", "--skip-preview", "--stack", "bench", "--suppress-outputs"),
        *tuning.arguments,
    )
    seconds = time.perf_counter() - begun
    exported = _pulumi(project, environment, "stack", "export", "--stack", "bench")
    resources = orjson.loads(exported)["deployment"]["resources"]
    objects = sum(resource["type"].startswith("kubernetes:") for resource in resources)
    return {
        "objects": objects,
        "seconds": round(seconds, 1),
        "objects_per_second": round(objects / seconds, 1),
    }


def _pulumi(project: Path, environment: dict[str, str], *arguments: str) -> str:
    program = shutil.which("pulumi") or "pulumi"
    result = subprocess.run(
        [program, *arguments, "--non-interactive"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=BOUND,
    )
    if result.returncode != 0:
        raise SystemExit(f"pulumi {arguments[0]} failed:\n{result.stdout[-2000:]}{result.stderr}")
    return result.stdout
