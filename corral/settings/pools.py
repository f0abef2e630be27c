"""Node pools: which nodes there are, and what they can isolate."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from corral.settings.quantities import Bytes, Cpu
from corral.settings.strict import RuntimeName, Strict
from corral.settings.tiers import DEFAULT_RUNTIME, Tier


class NodePool(Strict):
    """Nodes of one shape. On the embedded cluster they are simulated (kwok)."""

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
