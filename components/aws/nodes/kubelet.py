"""What the kubelet of a pool's nodes is told, beside what EKS' own image tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corral.settings.quantities import bytes_text
from corral.settings.tiers import ProcessLimit, Runtime, Tier

MIB = 2**20

GUEST_HOST_PROCESSES = 4096
"""podPidsLimit where the guest's kernel limits a sandbox's processes: on the host there are only
threads of the VMM, of virtiofsd and of the shim."""

_OWN_LABELS = ("kubernetes.io/arch", "kubernetes.io/os", "kubernetes.io/hostname")


@dataclass(frozen=True, kw_only=True)
class KubeletArgs:
    """A pool's figures: most pods, most processes of one sandbox, and what is kept from pods
    (millicores and bytes; percent of the root volume)."""

    pods: int
    processes: int
    kube_cpu: int
    kube_memory: int
    system_cpu: int
    system_memory: int
    system_disk: int
    eviction_memory: int
    eviction_disk_percent: int


def kubelet_config(
    args: KubeletArgs, runtimes: Sequence[Runtime], taints: Iterable[Mapping[str, str]]
) -> dict[str, Any]:
    """Fields of KubeletConfiguration (kubelet.config.k8s.io/v1beta1) for NodeConfig.

    `taints` are on the node before its first pod: its tier's, and start-up taints, which whoever
    verified the node lifts.
    """
    return {
        "maxPods": args.pods,
        "podPidsLimit": pod_pids_limit(args.processes, runtimes),
        "singleProcessOOMKill": single_process_oom_kill(runtimes),
        "seccompDefault": True,
        "protectKernelDefaults": True,
        "failSwapOn": True,
        "readOnlyPort": 0,
        "makeIPTablesUtilChains": True,
        "eventRecordQPS": 50,
        "streamingConnectionIdleTimeout": "4h0m0s",
        "containerLogMaxSize": "20Mi",
        "containerLogMaxFiles": 3,
        "serializeImagePulls": False,
        "maxParallelImagePulls": 5,
        "registerWithTaints": [_taint(taint) for taint in taints],
        **kept_from_pods(args),
    }


def pod_pids_limit(processes: int, runtimes: Sequence[Runtime]) -> int:
    """The kubelet's limit for one pod: what that many processes are on the node. Where guests limit
    processes themselves it isn't below what a VMM needs."""
    if runtimes and all(r.process_limit == ProcessLimit.GUEST for r in runtimes):
        return max(processes, GUEST_HOST_PROCESSES)
    return max((r.host_tasks(processes) for r in runtimes), default=processes)


def single_process_oom_kill(runtimes: Sequence[Runtime]) -> bool:
    """Whether memory that runs out costs one process, or the whole container.

    One process where the host sees the sandbox's own: a compiler that needed too much dies, and
    the agent goes on. With a kernel of the sandbox's own the host sees parts of that kernel, and
    one part without the others is a sandbox that hangs.
    """
    return bool(runtimes) and all(runtime.tier == Tier.CONTAINER for runtime in runtimes)


def kubelet_flags(labels: Mapping[str, str]) -> list[str]:
    """Flags for NodeConfig: the node's labels, but for those that kubelets give themselves."""
    own = {key: value for key, value in labels.items() if key not in _OWN_LABELS}
    if not own:
        return []
    return ["--node-labels=" + ",".join(f"{key}={own[key]}" for key in sorted(own))]


def kept_from_pods(args: KubeletArgs) -> dict[str, Any]:
    """What of a node is kept from pods, and when pods are evicted."""
    percent = f"{args.eviction_disk_percent}%"
    return {
        "kubeReserved": {
            "cpu": f"{args.kube_cpu}m",
            "memory": bytes_text(args.kube_memory),
            "ephemeral-storage": "1Gi",
        },
        "systemReserved": {
            "cpu": f"{args.system_cpu}m",
            "memory": bytes_text(args.system_memory),
            "ephemeral-storage": bytes_text(max(MIB, args.system_disk - 2**30)),
        },
        "enforceNodeAllocatable": ["pods"],
        "evictionHard": {
            "memory.available": bytes_text(args.eviction_memory),
            "nodefs.available": percent,
            "nodefs.inodesFree": "5%",
            "imagefs.available": percent,
            "imagefs.inodesFree": "5%",
            "pid.available": "10%",
        },
    }


def _taint(taint: Mapping[str, str]) -> dict[str, str]:
    return {key: taint[key] for key in ("key", "value", "effect") if key in taint}
