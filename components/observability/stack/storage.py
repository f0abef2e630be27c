"""Where volumes of what is kept come from, on EKS."""

from __future__ import annotations

from components.agents.storage import EBS_DRIVER, FILE_SYSTEM
from components.documents import Document, metadata
from components.observability.place import ObservabilityPlace
from components.observability.stack.names import STORAGE_CLASS


def storage_documents(place: ObservabilityPlace) -> list[Document]:
    """A StorageClass of volumes that may grow, and that stay when their claim goes: history is
    nothing to lose by mistake. Elsewhere the settings name one that is there."""
    if not place.eks or place.observability.prometheus.storage_class is not None:
        return []
    return [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": metadata(STORAGE_CLASS),
            "provisioner": EBS_DRIVER,
            "parameters": {
                "csi.storage.k8s.io/fstype": FILE_SYSTEM,
                "type": "gp3",
                "encrypted": "true",
                "kmsKeyId": place.volumes_key,
            },
            "reclaimPolicy": "Retain",
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": True,
        }
    ]
