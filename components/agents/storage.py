"""Where workspaces and tenants' volumes come from, as Kubernetes is told."""

from __future__ import annotations

from typing import Any

from components.agents.topolvm import DEVICE_CLASS, DRIVER, NAMESPACE
from components.documents import Document, metadata
from corral.settings.workspaces import STORAGE_CLASSES, WorkspaceKind

EBS_DRIVER = "ebs.csi.aws.com"

FILE_SYSTEM = "ext4"

_DRIVERS: dict[WorkspaceKind, str] = {"local": DRIVER, "ebs": EBS_DRIVER}

SNAPSHOTS = "snapshot.storage.k8s.io/v1"


def storage_class_document(kind: WorkspaceKind, *, key: str = "") -> Document:
    """The StorageClass of that kind of volumes; `key` encrypts those on EBS (any of the forms of a
    key's name that EC2 takes).

    A volume is made where its sandbox was placed, never before, and goes with its claim.
    """
    parameters: dict[str, Any] = {"csi.storage.k8s.io/fstype": FILE_SYSTEM}
    if kind == "local":
        parameters[f"{DRIVER}/device-class"] = DEVICE_CLASS
    else:
        parameters |= {"type": "gp3", "encrypted": "true", "kmsKeyId": key}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": metadata(STORAGE_CLASSES[kind]),
        "provisioner": _DRIVERS[kind],
        "parameters": parameters,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        # A class's workspaces are of its size; whoever needs more takes another class.
        "allowVolumeExpansion": False,
    }


def snapshot_class_document(kind: WorkspaceKind) -> Document:
    """The VolumeSnapshotClass of that kind: one sandbox hands its work over to the next."""
    return {
        "apiVersion": SNAPSHOTS,
        "kind": "VolumeSnapshotClass",
        "metadata": metadata(STORAGE_CLASSES[kind]),
        "driver": _DRIVERS[kind],
        "deletionPolicy": "Delete",
    }


def driver_namespace_document() -> Document:
    """TopoLVM's own: its pods on nodes are privileged, which Pod Security must let them be."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": metadata(
            NAMESPACE, labels={"pod-security.kubernetes.io/enforce": "privileged"}
        ),
    }
