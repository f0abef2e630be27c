"""Nodes that tests render documents for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from components.aws.nodes.kubelet import KubeletArgs
from components.aws.nodes.user_data import ClusterFacts, GvisorRelease, NodeArgs
from components.versions import GVISOR, GVISOR_SHA512
from corral.settings.tiers import RUNTIMES

KUBELET = KubeletArgs(
    pods=110,
    processes=1024,
    kube_cpu=90,
    kube_memory=1465 * 2**20,
    system_cpu=250,
    system_memory=2**29,
    system_disk=10 * 2**30,
    eviction_memory=2**29,
    eviction_disk_percent=10,
)

NODES = NodeArgs(
    cluster=ClusterFacts(
        name="corral-dev",
        endpoint="https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com",
        certificate_authority="QUFB" * 350,
        service_cidr="172.20.0.0/16",
    ),
    kubelet=KUBELET,
    runtimes=(),
    architecture="amd64",
    labels={"corral.dev/pool": "system", "kubernetes.io/arch": "amd64"},
    taints=(),
)


def serving(
    *runtimes: str,
    kubelet: KubeletArgs = KUBELET,
    architecture: str = "amd64",
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Mapping[str, str]] | None = None,
) -> NodeArgs:
    """Nodes that serve those runtimes, tainted as their tier's."""
    known = tuple(RUNTIMES[name] for name in runtimes)
    of_tier = [
        {"key": "corral.dev/tier", "value": str(runtime.tier), "effect": "NoSchedule"}
        for runtime in known[:1]
    ]
    return replace(
        NODES,
        runtimes=known,
        kubelet=kubelet,
        architecture=architecture,
        labels=NODES.labels if labels is None else labels,
        taints=of_tier if taints is None else taints,
        gvisor=GvisorRelease(version=GVISOR, sha512=GVISOR_SHA512[architecture]),
    )


POOLS = {
    "system": serving(),
    "container": serving("container"),
    "gvisor": serving("gvisor"),
    "gvisor-arm64": serving("gvisor", architecture="arm64"),
    "microvm": serving("kata-clh-runtime-rs", "kata-qemu-runtime-rs"),
    "mixed": serving("container", "gvisor"),
    "workspaces": replace(serving("kata-clh-runtime-rs"), disks="instance-store"),
    "data-volume": replace(serving("gvisor"), disks="volume"),
}
