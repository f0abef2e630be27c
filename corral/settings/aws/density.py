"""How many sandboxes a node on EC2 holds: the least of eight limits, and which one it is.

What every node runs beside sandboxes (the CNI, kube-proxy, the CSI driver, agents for logs and
identity) is taken off first. A microVM counts with its limits and its runtime's overhead, unless
its class shares memory out more than once on purpose (`memory-overcommit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal

from corral.settings.aws.allocatable import allocatable
from corral.settings.aws.cidrs import PREFIX, PodNetwork
from corral.settings.aws.instances import MIB, Instance
from corral.settings.aws.pools import EksPool
from corral.settings.capacity import sandbox_room
from corral.settings.classes import AgentClass, kept_on
from corral.settings.tiers import ProcessLimit

Limit = Literal["memory", "cpu", "pods", "addresses", "volumes", "disk", "local-disk", "processes"]

DAEMON_PODS = 8
DAEMON_CPU = 300
DAEMON_MEMORY = 512 * MIB
"""What a node's own pods take: millicores and bytes of requests. Most are on the host's network and
take no address."""
DAEMON_ADDRESSES = 2
DAEMON_PROCESSES = 4096
"""Threads of the node's own programs."""

THREAD_MEMORY = 128 * 1024
"""The kernel allows one thread for this much memory (threads-max: an eighth of memory over a stack
of 16 KiB). https://github.com/torvalds/linux/blob/v6.18/kernel/fork.c"""
EVICTION_THREADS_PERCENT = 10
"""The kubelet evicts pods when less than this part of them is left (pid.available)."""
GUEST_THREADS = 96
"""Threads that a microVM has on its node: its VMM's and virtiofsd's, and its shim's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Amounts:
    """What one sandbox takes, or a node has for all of them: millicores, bytes and numbers."""

    memory: int
    cpu: int
    pods: int = 1
    addresses: int = 1
    volumes: int = 0
    """EBS volumes."""
    disk: int
    """Ephemeral storage on the root volume."""
    local_disk: int = 0
    """Workspace on its node."""
    processes: int
    """Threads on the node, as its kernel counts them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Density:
    """How many sandboxes of one kind a node holds."""

    sandboxes: int
    binding: Limit
    """The limit that is reached first."""
    by_limit: Mapping[Limit, int]
    """How many each limit alone would allow; only limits that the sandbox takes something of."""

    def text(self) -> str:
        """`14, by memory (next: cpu, 22)`."""
        rest = {limit: most for limit, most in self.by_limit.items() if limit != self.binding}
        head = f"{self.sandboxes}, by {self.binding}"
        if not rest:
            return head
        following = min(rest, key=lambda limit: rest[limit])
        return f"{head} (next: {following}, {rest[following]})"


def density(need: Amounts, node: Amounts) -> Density:
    """The least of what each limit allows. Of equal ones, the first in the order of Amounts."""
    by_limit: dict[Limit, int] = {}
    for limit, name in _LIMITS.items():
        taken, there = getattr(need, name), getattr(node, name)
        if taken:
            by_limit[limit] = max(0, there) // taken
    binding = min(by_limit, key=lambda limit: by_limit[limit])
    return Density(sandboxes=by_limit[binding], binding=binding, by_limit=by_limit)


def sandbox_amounts(agent: AgentClass, *, volumes: int = 0) -> Amounts:
    """What one sandbox of a class takes, with that many EBS volumes beside its workspace."""
    room = sandbox_room(agent)
    guest = agent.served_by.process_limit == ProcessLimit.GUEST
    return Amounts(
        memory=room.memory,
        cpu=room.cpu,
        disk=room.disk,
        volumes=volumes + int(kept_on(agent) == "ebs"),
        local_disk=room.workspaces,
        processes=GUEST_THREADS if guest else agent.served_by.host_tasks(agent.processes),
    )


def node_amounts(
    kind: Instance,
    *,
    volume: int,
    network: PodNetwork,
    workspaces: int = 0,
    data_volumes: int = 0,
) -> Amounts:
    """What a node of that type has for sandboxes, with a root volume of that size and that much
    room for local workspaces (bytes), and that many more volumes of its own."""
    left = allocatable(kind, volume=volume)
    threads = kind.memory // THREAD_MEMORY * (100 - EVICTION_THREADS_PERCENT) // 100
    return Amounts(
        memory=max(0, left.memory - DAEMON_MEMORY),
        cpu=max(0, left.cpu - DAEMON_CPU),
        pods=max(0, left.pods - DAEMON_PODS),
        addresses=max(0, _pod_addresses(kind, network, left.pods) - DAEMON_ADDRESSES),
        volumes=attachable(kind, pods=left.pods, network=network, data_volumes=data_volumes),
        disk=left.disk,
        local_disk=workspaces,
        processes=max(0, threads - DAEMON_PROCESSES),
    )


def attachable(kind: Instance, *, pods: int, network: PodNetwork, data_volumes: int = 0) -> int:
    """EBS volumes that can still be attached to a node beside its root volume and its data volumes,
    when it has the network interfaces for that many pods. The EBS CSI driver reckons alike.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/volume_limits.html
    """
    further = interfaces(kind, pods=pods, network=network) - 1 if kind.attachments_shared else 0
    return max(0, kind.attachments - 1 - data_volumes - further)


def interfaces(kind: Instance, *, pods: int, network: PodNetwork) -> int:
    """Network interfaces that a node has attached when it runs that many pods: the VPC CNI keeps
    one of them, or one prefix, in hand."""
    slots = kind.addresses - 1
    match network:
        case "overlay":
            return 1
        case "vpc":
            return min(kind.interfaces, ceil(pods / slots) + 1)
        case "vpc-prefixes":
            return min(kind.interfaces, ceil((ceil(pods / PREFIX) + 1) / slots))


def pool_density(
    pool: EksPool,
    agent: AgentClass,
    *,
    network: PodNetwork = "overlay",
    volumes: int = 0,
) -> Density:
    """How many sandboxes of a class any node of the pool holds: the least over its instance types.

    ValueError where the pool has no instance types.
    """
    found = pool_densities(pool, agent, network=network, volumes=volumes)
    return min(found.values(), key=lambda each: each.sandboxes)


def pool_densities(
    pool: EksPool,
    agent: AgentClass,
    *,
    network: PodNetwork = "overlay",
    volumes: int = 0,
) -> dict[str, Density]:
    """How many sandboxes of a class a node of the pool holds, by instance type."""
    need = sandbox_amounts(agent, volumes=volumes)
    return {
        kind.name: density(need, pool_node(pool, kind, network=network))
        for kind in pool.instance_types
    }


def pool_node(pool: EksPool, kind: Instance, *, network: PodNetwork = "overlay") -> Amounts:
    """What a node of that type in the pool has for sandboxes."""
    return node_amounts(
        kind,
        volume=pool.volume,
        network=network,
        workspaces=pool.workspaces_on(kind),
        data_volumes=pool.data_volumes,
    )


def _pod_addresses(kind: Instance, network: PodNetwork, pods: int) -> int:
    """Addresses for pods; an overlay has as many as it takes."""
    slots = kind.interfaces * (kind.addresses - 1)
    match network:
        case "overlay":
            return pods
        case "vpc":
            return slots
        case "vpc-prefixes":
            return slots * PREFIX


_LIMITS: dict[Limit, str] = {
    "memory": "memory",
    "cpu": "cpu",
    "pods": "pods",
    "addresses": "addresses",
    "volumes": "volumes",
    "disk": "disk",
    "local-disk": "local_disk",
    "processes": "processes",
}
