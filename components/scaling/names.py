"""Names that both sides know, AWS and the cluster: neither has to wait for what the other made."""

from __future__ import annotations

from dataclasses import dataclass

from corral.settings.aws.pools import EksPool
from corral.settings.aws.texts import partition

NAMESPACE = "kube-system"
"""Where both controllers run: the API server answers it first when it has much to do."""

KARPENTER = "karpenter"
DRAINER = "aws-node-termination-handler"
"""Release and service account of each."""


@dataclass(frozen=True, kw_only=True)
class ClusterPlace:
    """Where a cluster on EKS is."""

    name: str
    account: str
    region: str

    @property
    def partition(self) -> str:
        """The part of AWS that its region is in, as ARNs name it."""
        return partition(self.region)

    @property
    def owned_tag(self) -> str:
        """Key of the tag of what belongs to the cluster; its value is `owned`."""
        return f"kubernetes.io/cluster/{self.name}"

    @property
    def base_tag(self) -> str:
        """Key of the tag of nodes that a pool always has: those that the drainer looks after."""
        return f"corral.dev/base-of/{self.name}"

    @property
    def node_profile(self) -> str:
        """Name of the nodes' role and of their instance profile."""
        return f"{self.name}-node"

    def queue(self, controller: str) -> str:
        """Name of the queue of events for a controller."""
        return f"{self.name}-{controller}"

    def queue_url(self, controller: str) -> str:
        """That queue's URL."""
        suffix = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        return f"https://sqs.{self.region}.{suffix}/{self.account}/{self.queue(controller)}"

    def reservation_tags(self, pool: str) -> dict[str, str]:
        """Tags of a pool's capacity reservations."""
        return {self.owned_tag: "owned", "corral.dev/pool": pool}


def bursts(pool: EksPool) -> bool:
    """Whether Karpenter may start nodes of the pool."""
    return pool.burst_nodes > 0
