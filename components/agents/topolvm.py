"""TopoLVM: volumes and snapshots from the thin pool of the node that a sandbox is on."""

from __future__ import annotations

import json
from typing import Any

from components.versions import TOPOLVM_IMAGE
from corral.policy.program.exemptions import PREFIX
from corral.settings.workspaces import THIN_POOL, VOLUME_GROUP, WORKSPACES_LABEL

NAMESPACE = "corral-workspaces"
DRIVER = "topolvm.io"
DEVICE_CLASS = "workspaces"

NEVER_TWICE = 1.0
"""Volumes and snapshots count with their whole size, and together never more than the pool has: one
that grows to its end takes no block from another (lvmd's FreeBytes and CreateLVSnapshot)."""

_HOST = "it makes, formats and mounts logical volumes of its node, with LVM's programs there"
_CHART = "the chart sets a container's security context itself and leaves no room for it"


def topolvm_values() -> dict[str, Any]:
    """Values of its chart: no webhook (tracking capacity is Kubernetes' own), no classes of its
    own, one pod on each node that has room for workspaces."""
    repository, _, reference = TOPOLVM_IMAGE.partition(":")
    return {
        "image": {"repository": repository, "reference": reference},
        # What is kept on nodes can't be found again without its kind.
        "crd": {"annotations": {"helm.sh/resource-policy": "keep"}},
        "scheduler": {"enabled": False},
        "webhook": {"podMutatingWebhook": {"enabled": False}},
        "storageClasses": [],
        "priorityClass": {"enabled": False},
        "snapshot": {"enabled": True},
        "lvmd": {"managed": False, "deviceClasses": [_device_class()]},
        "node": {
            "lvmdEmbedded": True,
            "nodeSelector": {WORKSPACES_LABEL: "local"},
            "tolerations": [{"operator": "Exists"}],
            "priorityClassName": "system-node-critical",
            "podAnnotations": _exempt(
                _HOST,
                "privileged",
                "escalation",
                "capabilities-drop",
                "read-only-root",
                "seccomp",
                "non-root",
                "uid",
                "gid",
                "host-namespaces",
                "volume-types",
                "mount-propagation",
            ),
        },
        "controller": {
            "replicaCount": 2,
            "affinity": json.dumps(_apart()),
            "priorityClassName": "system-cluster-critical",
            "podAnnotations": _exempt(_CHART, "read-only-root", "escalation", "capabilities-drop"),
        },
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10000,
            "runAsGroup": 10000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "resources": {
            "topolvm_node": _resources("50m", "64Mi", "512Mi"),
            "csi_registrar": _resources("10m", "16Mi", "64Mi"),
            "liveness_probe": _resources("10m", "16Mi", "64Mi"),
            "topolvm_controller": _resources("50m", "64Mi", "256Mi"),
            "csi_provisioner": _resources("20m", "64Mi", "256Mi"),
            "csi_resizer": _resources("10m", "32Mi", "256Mi"),
            "csi_snapshotter": _resources("10m", "32Mi", "256Mi"),
        },
    }


def _device_class() -> dict[str, Any]:
    return {
        "name": DEVICE_CLASS,
        "default": True,
        "volume-group": VOLUME_GROUP,
        "type": "thin",
        "spare-gb": 0,
        "thin-pool": {"name": THIN_POOL, "overprovision-ratio": NEVER_TWICE},
    }


def _exempt(reason: str, *rules: str) -> dict[str, str]:
    return {f"{PREFIX}{rule}": reason for rule in rules}


def _apart() -> dict[str, Any]:
    """On two nodes where there are two: the chart itself would insist, and a stack may have one."""
    labels = {"app.kubernetes.io/component": "controller", "app.kubernetes.io/name": "topolvm"}
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def _resources(cpu: str, memory: str, most: str) -> dict[str, dict[str, str]]:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": most}}
