"""How many sandboxes nodes hold, and what stops at that number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from corral.settings.classes import AgentClass
from corral.settings.pools import AnyPool
from corral.settings.quantities import bytes_text, cpu_text


@dataclass(frozen=True, kw_only=True)
class Room:
    """What a sandbox takes of a node, or a node has: millicores, bytes, bytes, pods, bytes."""

    cpu: int
    memory: int
    disk: int
    pods: int
    workspaces: int = 0
    """On the node itself: a workspace on EBS takes no room of it."""

    def times(self, count: int) -> Room:
        """That many of it."""
        return Room(**{part: count * self[part] for part in PARTS})

    def __getitem__(self, part: str) -> int:
        return int(getattr(self, part))

    def text(self, part: str) -> str:
        """One part as people write it: "2 CPU", "8322Mi memory"."""
        return f"{_TEXT[part](self[part])} {'CPU' if part == 'cpu' else part}"


PARTS = ("cpu", "memory", "disk", "pods", "workspaces")
_TEXT: dict[str, Callable[[int], str]] = {
    "cpu": cpu_text,
    "memory": bytes_text,
    "disk": bytes_text,
    "pods": str,
    "workspaces": bytes_text,
}


def total(rooms: list[Room]) -> Room:
    """All of them together."""
    return Room(**{part: sum(room[part] for room in rooms) for part in PARTS})


def sandbox_room(agent: AgentClass) -> Room:
    """What the scheduler counts for one sandbox: its requests and its runtime's overhead."""
    runtime = agent.served_by
    return Room(
        cpu=agent.requests.cpu + runtime.overhead_cpu,
        memory=agent.requested_memory + runtime.overhead_memory,
        disk=agent.disk,
        pods=1,
        workspaces=local_workspace(agent),
    )


def local_workspace(agent: AgentClass) -> int:
    """Bytes of its node that a sandbox's workspace takes."""
    own = agent.workspace
    return own.size if own and own.kind == "local" else 0


def node_room(pool: AnyPool) -> Room:
    """What one node of the pool has to give."""
    return Room(
        cpu=pool.cpu,
        memory=pool.memory,
        disk=pool.disk,
        pods=pool.pods,
        workspaces=pool.workspace_room,
    )


def on_one_node(need: Room, pool: AnyPool) -> tuple[int, str]:
    """How many fit on one node, and the part that binds."""
    room = node_room(pool)
    return min((room[part] // need[part], part) for part in PARTS if need[part])


def serving(agent: AgentClass, pools: Mapping[str, AnyPool]) -> dict[str, AnyPool]:
    """The pools whose nodes run that class."""
    return {
        name: pool for name, pool in pools.items() if agent.runtime_name in pool.served_runtimes
    }
