"""Node pools: which nodes there are, and what they can isolate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from corral.settings.aws.pools import EksPool
from corral.settings.quantities import Bytes, Cpu
from corral.settings.strict import RuntimeName, Strict
from corral.settings.tiers import DEFAULT_RUNTIME, Tier


class NodePool(Strict):
    """Nodes of one shape that are there already. On the embedded cluster they are simulated
    (kwok)."""

    tier: Annotated[Tier, Field(strict=False)] | None = None
    """The isolation tier that its nodes serve; left out for nodes that run the platform itself."""
    runtimes: tuple[RuntimeName, ...] = Field(default=(), strict=False)
    """Runtimes that its nodes serve; the tier's default runtime when empty."""
    nodes: Annotated[int, Field(ge=1, le=1000)]
    """How many nodes."""
    cpu: Cpu
    """Allocatable CPU of one node."""
    memory: Bytes
    """Allocatable memory of one node."""
    disk: Bytes
    """Allocatable ephemeral storage of one node."""
    workspaces: Bytes = 0
    """Room for local workspaces on one node, with cluster kind `existing`: the size of the thin
    pool `workspaces` in its volume group `corral-workspaces`. Its owner makes both, and labels the
    node `corral.dev/workspaces=local`."""
    pods: Annotated[int, Field(ge=1, le=500)] = 110
    """Most pods on one node."""
    processes: Annotated[int, Field(ge=64, le=65536)] = 1024
    """Most processes in one sandbox: the kubelet's podPidsLimit, or the guest kernel's pid_max."""
    architecture: Literal["amd64", "arm64"] = "amd64"
    """Its processors."""

    @property
    def served_runtimes(self) -> tuple[str, ...]:
        """The runtimes that its nodes serve; none for a pool without a tier."""
        if self.tier is None:
            return ()
        return self.runtimes or (DEFAULT_RUNTIME[self.tier],)

    @property
    def nodes_at_first(self) -> int:
        """How many there are before anything asks for more."""
        return self.nodes

    @property
    def workspace_room(self) -> int:
        """Bytes for local workspaces on one node."""
        return self.workspaces


def _which(value: Any) -> str:
    """Machines are what only a pool on EKS has to say."""
    on_eks = isinstance(value, EksPool) or (isinstance(value, Mapping) and "machines" in value)
    return EksPool.__name__ if on_eks else NodePool.__name__


AnyPool = NodePool | EksPool
"""Either has its figures: cpu, memory, disk, pods, nodes, processes, workspace_room,
served_runtimes."""

Pool = Annotated[
    Annotated[NodePool, Tag(NodePool.__name__)] | Annotated[EksPool, Tag(EksPool.__name__)],
    Discriminator(_which),
]
"""A pool in a stack file."""
