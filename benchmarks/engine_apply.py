"""The embedded engine on a real API server: a program with many tenants, first applied, then run
again without a change.

    python -m benchmarks.engine_apply --kubeconfig K --context C --tenants 1000

Prints one line of JSON per run: objects, seconds, cpu_seconds (of the engine's process),
objects_per_second, peak_rss_mib and mode:
`ceiling` (the program on a monitor that does nothing: the SDK's own limit), `first` (an empty
cluster), `unchanged` (once more), `plan` (once more as a preview) and `destroy`. Each runs in a
process of its own, so that none profits from what another one loaded.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import orjson

MODES: Final = ("ceiling", "first", "unchanged", "plan", "destroy")

PROGRAM: Final = """
import pulumi
import pulumi_kubernetes as k8s


class Tenant(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("bench:tenancy:Tenant", name)
        space = f"{prefix}-{name}"
        labels = {"app.kubernetes.io/managed-by": "corral", "corral.dev/tenant": name}
        namespace = k8s.core.v1.Namespace(
            name,
            metadata={"name": space, "labels": {
                **labels, "pod-security.kubernetes.io/enforce": "restricted"}},
            opts=pulumi.ResourceOptions(parent=self),
        )
        within = pulumi.ResourceOptions(parent=self, depends_on=[namespace])

        def metadata(object_name):
            return {"name": object_name, "namespace": space, "labels": labels}

        k8s.core.v1.ResourceQuota(
            f"{name}-quota",
            metadata=metadata("quota"),
            spec={"hard": {"limits.cpu": "16", "limits.memory": "32Gi", "pods": "20"}},
            opts=within,
        )
        k8s.core.v1.LimitRange(
            f"{name}-limits",
            metadata=metadata("limits"),
            spec={"limits": [{
                "type": "Container",
                "default": {"cpu": "2", "memory": "4Gi"},
                "defaultRequest": {"cpu": "500m", "memory": "1Gi"},
            }]},
            opts=within,
        )
        k8s.core.v1.ServiceAccount(
            f"{name}-sandbox",
            metadata=metadata("sandbox"),
            automount_service_account_token=False,
            opts=within,
        )
        k8s.core.v1.ConfigMap(
            f"{name}-parameters",
            metadata=metadata("parameters"),
            data={"class.worker.cpu": "2", "class.worker.memory": "4Gi", "tenant": name},
            opts=within,
        )
        k8s.networking.v1.NetworkPolicy(
            f"{name}-deny",
            metadata=metadata("deny"),
            spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
            opts=within,
        )
        k8s.rbac.v1.RoleBinding(
            f"{name}-orchestrator",
            metadata=metadata("orchestrator"),
            role_ref={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                      "name": "view"},
            subjects=[{"kind": "ServiceAccount", "name": "sandbox", "namespace": space}],
            opts=within,
        )


config = pulumi.Config()
prefix = config.require("prefix")
for number in range(config.require_int("tenants")):
    Tenant(f"t{number:04}")
"""
"""Seven objects for each tenant, as a program would write them."""


def main() -> None:
    """Runs each mode in a process of its own; or, with --mode, just that one in this process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--context", required=True)
    parser.add_argument("--tenants", type=int, default=100)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--prefix", default="bench", help="of namespaces, and the stack's name")
    parser.add_argument("--mode", choices=MODES)
    options = parser.parse_args()
    if options.mode is None:
        for mode in MODES:
            command = [sys.executable, "-m", "benchmarks.engine_apply", *sys.argv[1:]]
            subprocess.run([*command, "--mode", mode], check=True)
        return
    with TemporaryDirectory(prefix="corral-bench-") as folder:
        (Path(folder) / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
        (Path(folder) / "__main__.py").write_text(PROGRAM)
        result = measure(options, Path(folder))
    sys.stdout.write(orjson.dumps({"mode": options.mode, **result}).decode() + "\n")


def measure(options: argparse.Namespace, project: Path) -> dict[str, float]:
    """One run: objects, seconds, objects a second and the process's peak memory."""
    begun = time.perf_counter()
    objects = run_ceiling(options, project) if options.mode == "ceiling" else run(options, project)
    seconds = time.perf_counter() - begun
    return {
        "tenants": options.tenants,
        "objects": objects,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time(), 2),
        "objects_per_second": round(objects / seconds, 1),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def configuration(options: argparse.Namespace) -> dict[str, str]:
    """The program's configuration."""
    return {"bench:tenants": str(options.tenants), "bench:prefix": options.prefix}


def run_ceiling(options: argparse.Namespace, project: Path) -> int:
    """The SDK alone: every registration is answered with its own inputs."""
    from corral.embedded.engine.program import run_program  # noqa: PLC0415 - its import counts
    from corral.embedded.engine.registration import (  # noqa: PLC0415
        Outcome,
        Read,
        Registration,
        planned,
    )

    class Nothing:
        objects = 0

        def register(self, registration: Registration) -> Outcome:
            self.objects += 1
            return planned(registration)

        def read(self, read: Read) -> Outcome:
            return Outcome(id=read.id, state={})

    executor = Nothing()
    run_program(
        project=project,
        stack=options.prefix,
        config=configuration(options),
        preview=False,
        executor=executor,
        workers=options.workers,
    )
    return executor.objects


def run(options: argparse.Namespace, project: Path) -> int:
    """The engine in one of its modes."""
    from corral.embedded.engine import Engine  # noqa: PLC0415 - its import counts
    from corral.kubernetes import Access, Api  # noqa: PLC0415

    access = Access(kubeconfig=options.kubeconfig, context=options.context)
    engine = Engine(
        project=project,
        stack=options.prefix,
        config=configuration(options),
        api=Api.connect(access, connections=options.workers),
        workers=options.workers,
    )
    if options.mode == "destroy":
        report = engine.destroy(lambda _: True)
    else:
        report = engine.plan() if options.mode == "plan" else engine.up()
    if not report.ok:
        sys.exit(f"failed: {[failure.reason for failure in report.failures][:5]}")
    return sum(report.counts.values())


if __name__ == "__main__":
    main()
