"""What local workspaces are kept on: the disks of a node, as EC2 is asked for them and as the node
finds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from corral.settings.aws.disks import DataVolume
from corral.settings.aws.pools import EksPool

GIB = 2**30

DATA_DEVICE = "/dev/xvdb"
"""As a launch template names a data volume. Amazon Linux has a link of that name to its NVMe disk
(ebsnvme-id, of amazon-ec2-utils)."""

INSTANCE_DISKS = "/dev/disk/by-id/nvme-Amazon_EC2_NVMe_Instance_Storage_*"
"""Links to an instance's own disks, as EKS' image looks for them too.
https://github.com/awslabs/amazon-eks-ami/blob/main/templates/al2023/runtime/bin/setup-local-disks"""

WorkspaceDisks = Literal["none", "instance-store", "volume"]


@dataclass(frozen=True, kw_only=True)
class DataDisk:
    """A gp3 volume for workspaces: GiB, operations and MiB a second."""

    device: str
    size: int
    iops: int
    throughput: int


def workspace_disks(pool: EksPool) -> WorkspaceDisks:
    """What the pool's workspaces are on."""
    return pool.workspaces.kind if pool.workspaces else "none"


def data_disk(pool: EksPool) -> DataDisk | None:
    """The volume that each node of the pool has beside its root volume, if it has one."""
    own = pool.workspaces
    if not isinstance(own, DataVolume):
        return None
    return DataDisk(
        device=DATA_DEVICE,
        size=-(-own.size // GIB),
        iops=own.iops,
        throughput=own.throughput,
    )
