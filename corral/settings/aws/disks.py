"""What local workspaces are on: disks of the instance, or one more volume of the node."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from corral.settings.quantities import Bytes
from corral.settings.strict import Strict

LEAST_SIZE = 50 * 2**30
"""Of a data volume: below it, what LVM keeps for itself is not a small part."""
MOST_SIZE = 64 * 2**40
"""What gp3 ends at."""
IOPS_PER_GIB = 500
IOPS_PER_MIB = 4
"""gp3: a MiB/s takes four operations a second."""
# https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html


class InstanceStore(Strict):
    """The NVMe disks that the instance type comes with: the fastest, and paid for already."""

    kind: Literal["instance-store"]
    """Every instance type of the pool must have such disks."""


class DataVolume(Strict):
    """A gp3 volume beside the root volume, encrypted with the stack's key, deleted with its node.
    It takes one of the node's attachments."""

    kind: Literal["volume"]
    """One volume for the workspaces of all sandboxes of a node."""
    size: Bytes
    """Its size: 50Gi to 64Ti."""
    iops: Annotated[int, Field(ge=3000, le=80000)] = 3000
    """Operations a second, shared by the node's sandboxes; at most 500 for each GiB."""
    throughput: Annotated[int, Field(ge=125, le=2000)] = 125
    """MiB a second, shared by the node's sandboxes; at most a quarter of `iops`."""


USABLE_PERCENT = 98
"""Of the disks, for workspaces: the rest is LVM's own (its thin pool's metadata, whole extents)."""

WorkspaceDisks = Annotated[InstanceStore | DataVolume, Field(discriminator="kind")]
