"""The add-ons that EKS installs, as the settings of each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from corral.settings.aws.cidrs import PodNetwork

VPC_PLUGIN = "vpc-cni"
EBS_DRIVER = "aws-ebs-csi-driver"
SNAPSHOTS = "snapshot-controller"
"""It brings the kinds of snapshots."""

SYSTEM_ROLES: dict[str, tuple[str, str]] = {
    VPC_PLUGIN: ("aws-node", "AmazonEKS_CNI_Policy"),
    EBS_DRIVER: ("ebs-csi-controller-sa", "AmazonEBSCSIDriverPolicyV2"),
}
"""Add-ons that need AWS: the service account (in kube-system) that gets a role, and the policy that
AWS keeps for it. By Pod Identity: no other pod of the node has those rights."""

BEFORE_NODES = (VPC_PLUGIN, "kube-proxy", "eks-pod-identity-agent")
"""Without them no node gets ready."""

_EVERY_NODE = [{"operator": "Exists"}]


def addons_for(pod_network: PodNetwork, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the add-ons that a cluster with such pods gets. In an overlay EKS' own plugin would
    give pods addresses too: a cluster that never had it has nothing of it to remove."""
    return tuple(name for name in names if name != VPC_PLUGIN or pod_network != "overlay")


def addon_configuration(name: str) -> str | None:
    """The add-on's configuration values as JSON; None for its defaults."""
    values = _VALUES.get(name)
    return json.dumps(values, sort_keys=True) if values else None


_VALUES: dict[str, dict[str, Any]] = {
    VPC_PLUGIN: {
        # A /28 for each slot of an interface: as many addresses as pods. Network policies are
        # Calico's, which this plugin's controller would fight with, and which sees a pod's address
        # first in its annotation.
        "env": {
            "ENABLE_PREFIX_DELEGATION": "true",
            "WARM_PREFIX_TARGET": "1",
            "ANNOTATE_POD_IP": "true",
        },
        "enableNetworkPolicy": "false",
        "tolerations": _EVERY_NODE,
    },
    "eks-pod-identity-agent": {"tolerations": _EVERY_NODE},
    EBS_DRIVER: {
        # On the host's network it can ask the metadata service (one hop away) what is attached
        # already: otherwise a data volume and further interfaces count for none, and a node is
        # given more volumes than it attaches.
        "node": {"tolerateAllTaints": True, "hostNetwork": True},
        # What the driver makes gets no tags from our provider.
        "controller": {"extraVolumeTags": {"managed-by": "corral"}},
        # Otherwise it is left out where the kinds aren't there yet, and no snapshot is ever made.
        "sidecars": {"snapshotter": {"forceEnable": True}},
    },
}
