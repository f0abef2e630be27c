"""Workspaces: where a sandbox keeps its work, on a block volume that ends where its size ends."""

from __future__ import annotations

from typing import Literal

from corral.settings.quantities import Bytes
from corral.settings.strict import Strict

WorkspaceKind = Literal["local", "ebs"]

WORKSPACES_LABEL = "corral.dev/workspaces"
"""Node label: `corral.dev/workspaces=local` where a node has room for local ones."""

STORAGE_CLASSES: dict[WorkspaceKind, str] = {"local": "corral-local", "ebs": "corral-ebs"}
"""StorageClass, and VolumeSnapshotClass, of each kind."""

VOLUME_GROUP = "corral-workspaces"
"""LVM's volume group on each node with local workspaces."""
THIN_POOL = "workspaces"
"""The thin pool in it that they come from."""


class Workspace(Strict):
    """The workspace of one sandbox: a volume of its own. Writing past its end fails with ENOSPC in
    that sandbox, and nowhere else."""

    kind: WorkspaceKind
    """`local` (LVM on its node: fast, snapshots at once, gone with the node) or `ebs` (outlives the
    node, on EKS only; each takes one of the attachments that its node has)."""
    size: Bytes
    """Its size: 1Gi to 200Gi."""


WITHOUT_SHARED_FILES = ("kata-fc", "kata-qemu-snp", "kata-qemu-tdx")
"""Runtimes whose guests see no file system of their host (`shared_fs` none in kata-containers
4.1.0, src/runtime-rs/config): what stands in a volume is copied in at the start, and what is
written never reaches it."""
