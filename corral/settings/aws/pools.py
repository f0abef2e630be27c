"""Node pools on EKS: declared by what they isolate and on what machines, not by instance type."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr

from corral.settings.aws.allocatable import Allocatable, allocatable
from corral.settings.aws.buying import Capacity
from corral.settings.aws.disks import USABLE_PERCENT, DataVolume, WorkspaceDisks
from corral.settings.aws.instances import MACHINES, MIB, Instance, Machines, instance
from corral.settings.aws.texts import ZoneLetter
from corral.settings.problems import Expected, NotAllowedError, one_of
from corral.settings.quantities import Bytes, parse_bytes
from corral.settings.strict import RuntimeName, Strict
from corral.settings.tiers import DEFAULT_RUNTIME, Tier

# Of one size each, so that a node of a pool is like any other. Newest first where regions differ.
DEFAULT_INSTANCES: dict[tuple[Machines, str], tuple[str, ...]] = {
    ("virtual", "amd64"): ("m7i.2xlarge", "m6i.2xlarge"),
    ("virtual", "arm64"): ("m7g.2xlarge", "m6g.2xlarge"),
    ("nested", "amd64"): ("m8i.4xlarge",),
    ("metal", "amd64"): ("m7i.metal-24xl",),
    ("metal", "arm64"): ("m7g.metal",),
    ("snp", "amd64"): ("m6a.4xlarge",),
}
"""Types by machines and architecture, for pools that name none."""


def _instance(value: str) -> str:
    return instance(value).name


InstanceType = Annotated[
    str,
    AfterValidator(_instance),
    Expected("an instance type that corral knows, such as m7i.2xlarge"),
]


MOST_NODES = 1000
"""Of one pool, whatever its settings say."""

NO_MANAGED_GROUPS = (
    "EKS' managed node groups drop nested virtualization without a word "
    "(aws/containers-roadmap#2784): their nodes join without /dev/kvm, and no microVM starts there"
)


def _machines(value: object) -> object:
    if isinstance(value, str) and "managed" in value:
        raise NotAllowedError(
            rule=f"one of {', '.join(MACHINES)}: {NO_MANAGED_GROUPS}",
            fix="say what the nodes are: nested or metal for microVMs. Their groups are corral's",
        )
    return value


class EksPool(Strict):
    """Nodes of one shape: as many as it always has in a self-managed Auto Scaling group, and what
    it has beyond started by Karpenter. Their CPU, memory and pods follow from the instance type."""

    tier: Annotated[Tier, Field(strict=False)] | None = None
    """The isolation tier that its nodes serve; left out for nodes that run the platform itself."""
    runtimes: tuple[RuntimeName, ...] = Field(default=(), strict=False)
    """Runtimes that its nodes serve; the tier's default runtime when empty."""
    purpose: Literal["egress-gateway"] | None = None
    """`egress-gateway` for the nodes that all traffic to the internet leaves by: without a tier,
    one in each zone, and nothing else runs there."""
    machines: Annotated[Machines, BeforeValidator(_machines), one_of(MACHINES)]
    """What its nodes are: `virtual`, `nested` (virtual machines that can run microVMs), `metal`, or
    `snp` (virtual machines with memory encrypted against the host)."""
    instances: tuple[InstanceType, ...] = Field(default=(), strict=False)
    """Instance types, in order of preference; those that corral knows for these machines when
    empty. A pool is counted with the smallest of them."""
    min_nodes: Annotated[int, Field(ge=0, le=MOST_NODES, alias="min-nodes")] = 0
    """Nodes that it always has, in an Auto Scaling group of that fixed size."""
    max_nodes: Annotated[
        Annotated[int, Field(ge=1, le=MOST_NODES)] | None, Field(alias="max-nodes")
    ] = None
    """Most nodes: Karpenter starts what is missing when pods wait, and ends what is empty. Left
    out, it follows from what tenants may ask for at most and how many of that a node holds; a pool
    without a tier, and one of machines `snp`, then has `min-nodes`."""
    zones: tuple[ZoneLetter, ...] = Field(default=(), strict=False)
    """Zones of the network that its nodes are in; all of them when empty."""
    volume: Bytes = parse_bytes("200Gi")
    """Root volume of one node (gp3, encrypted): images, logs and sandboxes' scratch."""
    workspaces: WorkspaceDisks | None = None
    """What local workspaces are on, for classes that have such."""
    processes: Annotated[int, Field(ge=64, le=65536)] = 1024
    """Most processes in one sandbox: the kubelet's podPidsLimit, or the guest kernel's pid_max."""
    architecture: Literal["amd64", "arm64"] = "amd64"
    """Its processors."""
    capacity: Capacity = "on-demand"
    """How its nodes are bought. Spot nodes go with two minutes' notice: only for classes that are
    `restartable`."""
    reserved_nodes: Annotated[int, Field(ge=0, le=1000, alias="reserved-nodes")] = 0
    """Nodes that are paid for whether they run or not, so that they can start at any time: only
    with `capacity: reserved`."""

    _bound: int = PrivateAttr(default=MOST_NODES)

    @property
    def served_runtimes(self) -> tuple[str, ...]:
        """The runtimes that its nodes serve; none for a pool without a tier."""
        if self.tier is None:
            return ()
        return self.runtimes or (DEFAULT_RUNTIME[self.tier],)

    @property
    def base_nodes(self) -> int:
        """Nodes that it always has."""
        return self.nodes if self.purpose == "egress-gateway" else self.min_nodes

    @property
    def nodes(self) -> int:
        """How many nodes there can be."""
        return self._bound if self.max_nodes is None else self.max_nodes

    @property
    def burst_nodes(self) -> int:
        """How many Karpenter may start."""
        return max(0, self.nodes - self.base_nodes)

    @property
    def nodes_at_first(self) -> int:
        """How many there are before anything asks for more."""
        return self.base_nodes

    def bound(self, nodes: int) -> None:
        """Tells a pool without `max-nodes` what follows from the other settings of its stack."""
        self._bound = min(nodes, MOST_NODES)

    @property
    def workspace_room(self) -> int:
        """Bytes for local workspaces on the node that has least."""
        return min(map(self.workspaces_on, self.instance_types), default=0)

    def workspaces_on(self, kind: Instance) -> int:
        """Bytes for local workspaces on a node of that type."""
        if self.workspaces is None:
            return 0
        if isinstance(self.workspaces, DataVolume):
            whole = self.workspaces.size
        else:
            whole = kind.disks * kind.disk
        return whole * USABLE_PERCENT // 100 // MIB * MIB

    @property
    def data_volumes(self) -> int:
        """EBS volumes that each node has beside its root volume."""
        return int(isinstance(self.workspaces, DataVolume))

    @property
    def instance_types(self) -> tuple[Instance, ...]:
        """Its instance types, in order of preference; none where corral knows none for its machines
        on its architecture."""
        names = self.instances or DEFAULT_INSTANCES.get((self.machines, self.architecture), ())
        return tuple(instance(name) for name in names)

    @cached_property
    def allocatable(self) -> Allocatable:
        """What pods get of its smallest nodes. ValueError where it has no instance types."""
        return min(
            (allocatable(known, volume=self.volume) for known in self.instance_types),
            key=lambda found: (found.memory, found.cpu, found.pods),
        )

    @property
    def cpu(self) -> int:
        """Allocatable CPU of one node, in millicores."""
        return self.allocatable.cpu

    @property
    def memory(self) -> int:
        """Allocatable memory of one node, in bytes."""
        return self.allocatable.memory

    @property
    def disk(self) -> int:
        """Allocatable ephemeral storage of one node, in bytes."""
        return self.allocatable.disk

    @property
    def pods(self) -> int:
        """Most pods on one node."""
        return self.allocatable.pods
