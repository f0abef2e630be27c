"""The EBS volumes of a pool's nodes, as launch templates and Karpenter's node classes both ask."""

from __future__ import annotations

from dataclasses import dataclass

from components.aws.nodes.workspace_disks import data_disk
from corral.settings.aws.pools import EksPool

GIB = 2**30

ROOT_DEVICE = "/dev/xvda"
"""Root volume of Amazon Linux 2023."""


@dataclass(frozen=True, kw_only=True)
class NodeVolume:
    """One gp3 volume, encrypted and gone with its node: GiB, operations and MiB a second (gp3's
    own where None)."""

    device: str
    size: int
    iops: int | None = None
    throughput: int | None = None


def node_volumes(pool: EksPool) -> list[NodeVolume]:
    """The root volume, and the one for workspaces where the pool has such."""
    volumes = [NodeVolume(device=ROOT_DEVICE, size=-(-pool.volume // GIB))]
    data = data_disk(pool)
    if data is not None:
        volumes.append(
            NodeVolume(
                device=data.device, size=data.size, iops=data.iops, throughput=data.throughput
            )
        )
    return volumes
