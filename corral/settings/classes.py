"""Agent classes: what one sandbox of each kind of agent may use."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from corral.settings.quantities import Bytes, Cpu, parse_bytes, parse_cpu
from corral.settings.strict import RuntimeName, Strict
from corral.settings.thresholds import Thresholds
from corral.settings.tiers import DEFAULT_RUNTIME, RUNTIMES, Runtime, Tier
from corral.settings.workspaces import Workspace, WorkspaceKind


class Resources(Strict):
    """CPU and memory of one sandbox."""

    cpu: Cpu
    """CPU time."""
    memory: Bytes
    """Memory."""


class AgentClass(Strict):
    """One kind of agent. Its bounds and defaults fit sandboxes of a coding agent."""

    tier: Annotated[Tier, Field(strict=False)]
    """The isolation tier that its sandboxes run on."""
    runtime: RuntimeName | None = None
    """A runtime of that tier; the tier's default when left out."""
    limits: Resources = Resources.model_construct(cpu=parse_cpu("2"), memory=parse_bytes("4Gi"))
    """Most that one sandbox may use: cpu 1 to 4, memory 1Gi to 8Gi."""
    requests: Resources = Resources.model_construct(
        cpu=parse_cpu("500m"), memory=parse_bytes("1Gi")
    )
    """What the scheduler sets aside for one sandbox. A virtual machine is sized once, from the
    memory limit: there, memory is the limit divided by `memory-overcommit` (written so, or left out
    with `requests`)."""
    disk: Bytes = parse_bytes("10Gi")
    """Most ephemeral storage of one sandbox: 5Gi to 20Gi; from 1Gi where it has a workspace."""
    workspace: Workspace | None = None
    """A volume of its own for its work; none when left out: then all is ephemeral storage, of which
    a sandbox may take more than its share until the kubelet looks."""
    processes: Annotated[int, Field(ge=32, le=65536)] = 1024
    """Processes that one sandbox needs; refused where the pool's limit is below it."""
    max_age: Annotated[int, Field(ge=1, le=168, alias="max-age-hours")] = 24
    """Oldest that a sandbox may get, in hours."""
    memory_overcommit: Annotated[
        float, Field(ge=1.0, le=4.0, allow_inf_nan=False, alias="memory-overcommit")
    ] = 1.0
    """Tier microvm only: memory limit divided by memory request."""
    restartable: bool = False
    """Whether its work survives that a sandbox is taken away at any time: only such classes may
    land on spot nodes."""
    priority: Annotated[int, Field(ge=0, le=1000)] = 100
    """Scheduling priority among agents; a higher one goes before a lower one and ends none."""
    thresholds: Thresholds = Thresholds()
    """From where on one of its sandboxes is an alert. All have defaults."""

    @property
    def runtime_name(self) -> str:
        """The runtime that serves it: its own choice, or the tier's default."""
        return self.runtime or DEFAULT_RUNTIME[self.tier]

    @property
    def served_by(self) -> Runtime:
        """The table's row of its runtime. KeyError before the settings were checked as a whole."""
        return RUNTIMES[self.runtime_name]

    @property
    def requested_memory(self) -> int:
        """Bytes that one sandbox requests: up to the limit where the VM is sized from limits."""
        if not self.served_by.static_memory:
            return self.requests.memory
        mebibytes = -(-self.limits.memory // 2**20)
        return max(1, int(mebibytes / self.memory_overcommit)) * 2**20


def kept_on(agent: AgentClass) -> WorkspaceKind | None:
    """What the class's workspaces are kept on; None where it has none."""
    return agent.workspace.kind if agent.workspace is not None else None
