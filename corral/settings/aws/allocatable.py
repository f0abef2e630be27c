"""What a node of an instance type has left for pods, and what is kept for the system."""

from __future__ import annotations

from dataclasses import dataclass

from corral.settings.aws.cidrs import PREFIX
from corral.settings.aws.instances import MIB, Instance

GIB = 2**30

# Firmware, hypervisor and kernel take part of what EC2 states. Karpenter's default for the same
# purpose (VM_MEMORY_OVERHEAD_PERCENT).
UNSEEN_MEMORY = 0.075

SYSTEM_CPU = 250
SYSTEM_MEMORY = 512 * MIB
EVICTION_MEMORY = 512 * MIB
SYSTEM_DISK = 10 * GIB
"""The operating system and the images of the platform itself."""
EVICTION_DISK_PERCENT = 10

SMALL_NODE_PODS = 110
LARGE_NODE_PODS = 250
LARGE_NODE_VCPUS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Reserved:
    """What the kubelet keeps of a node: millicores and bytes."""

    kube_cpu: int
    kube_memory: int
    system_cpu: int = SYSTEM_CPU
    system_memory: int = SYSTEM_MEMORY
    system_disk: int = SYSTEM_DISK
    eviction_memory: int = EVICTION_MEMORY
    eviction_disk_percent: int = EVICTION_DISK_PERCENT


@dataclass(frozen=True, kw_only=True, slots=True)
class Allocatable:
    """What is left for pods: millicores, bytes, bytes, pods."""

    cpu: int
    memory: int
    disk: int
    pods: int
    reserved: Reserved


def most_pods(instance: Instance) -> int:
    """The kubelet's maxPods, with a prefix of addresses for each secondary address of an interface:
    AWS' own limits of 110 and 250, unless interfaces give fewer addresses.

    https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses.html
    """
    limit = LARGE_NODE_PODS if instance.vcpus >= LARGE_NODE_VCPUS else SMALL_NODE_PODS
    return min(limit, instance.interfaces * (instance.addresses - 1) * PREFIX + 2)


def allocatable(instance: Instance, *, volume: int) -> Allocatable:
    """What pods get of a node with that root volume (bytes)."""
    pods = most_pods(instance)
    reserved = Reserved(kube_cpu=_kube_cpu(instance.vcpus), kube_memory=(255 + 11 * pods) * MIB)
    seen = int(instance.memory * (1 - UNSEEN_MEMORY))
    memory = seen - reserved.kube_memory - reserved.system_memory - reserved.eviction_memory
    disk = volume * (100 - EVICTION_DISK_PERCENT) // 100 - SYSTEM_DISK
    return Allocatable(
        cpu=max(0, instance.vcpus * 1000 - reserved.kube_cpu - reserved.system_cpu),
        memory=max(0, memory // MIB * MIB),
        disk=max(0, disk // MIB * MIB),
        pods=pods,
        reserved=reserved,
    )


def _kube_cpu(vcpus: int) -> int:
    """Millicores, as nodeadm reckons them: 6 % of the first core, 1 % of the second, 0.5 % of the
    next two, 0.25 % of each further one.

    https://github.com/awslabs/amazon-eks-ami/blob/main/nodeadm/internal/kubelet/config.go
    """
    tenths = 600 + (100 if vcpus > 1 else 0) + 50 * min(2, max(0, vcpus - 2))
    return -(-(tenths + 25 * max(0, vcpus - 4)) // 10)
