"""How Karpenter asks EC2 for a node of a pool: as the pool's launch template does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.aws.nodes.kubelet import KubeletArgs, kept_from_pods
from components.aws.nodes.node import kubelet_args, node_args
from components.aws.nodes.user_data import MOST_BYTES, user_data
from components.aws.nodes.volumes import node_volumes
from components.aws.policies import key_alias
from components.documents import Document, metadata
from components.scaling.names import ClusterPlace
from components.versions import NODE_IMAGE
from corral.settings.aws.network import ExistingNetwork, Network
from corral.settings.aws.pools import EksPool

GROUP = "karpenter.k8s.aws"

ADDED_BYTES = 4608
"""What Karpenter adds to user data: a NodeConfig with the cluster's certificate (about 1,600), its
address, the kubelet's part of a node class, taints and labels."""


def node_class_document(
    name: str,
    pool: EksPool,
    *,
    place: ClusterPlace,
    network: Network,
    gvisor_source: str,
    tags: Mapping[str, str],
) -> Document:
    """The EC2NodeClass of the pool called `name`. `tags` are for instances and their volumes.

    Raises ValueError where its user data leaves Karpenter no room for its own part.
    """
    spec: dict[str, Any] = {
        "amiFamily": "AL2023",
        "amiSelectorTerms": [{"alias": f"al2023@{NODE_IMAGE}"}],
        "instanceProfile": place.node_profile,
        "subnetSelectorTerms": [
            _subnet(place, network, zone) for zone in sorted(pool.zones or network.zones)
        ],
        # EKS' own tag of the one group that control plane and nodes are in. Nobody can forge it:
        # AWS alone sets tags that begin so.
        "securityGroupSelectorTerms": [{"tags": {"aws:eks:cluster-name": place.name}}],
        "associatePublicIPAddress": False,
        "metadataOptions": {
            "httpEndpoint": "enabled",
            "httpProtocolIPv6": "disabled",
            "httpPutResponseHopLimit": 1,
            "httpTokens": "required",
        },
        "blockDeviceMappings": _volumes(pool, place),
        "detailedMonitoring": True,
        "kubelet": _kubelet(kubelet_args(pool)),
        "userData": _user_data(name, pool, gvisor_source),
        "tags": {**tags, "Name": f"{place.name}-{name}"},
    }
    if pool.machines == "nested":
        spec["cpuOptions"] = {"nestedVirtualization": "enabled"}
    if takes_reservations(pool):
        spec["capacityReservationSelectorTerms"] = [
            {
                "tags": place.reservation_tags(name),
                "ownerID": place.account,
                "instanceMatchCriteria": "targeted",
            }
        ]
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "EC2NodeClass",
        "metadata": metadata(name),
        "spec": spec,
    }


def takes_reservations(pool: EksPool) -> bool:
    """Whether more is reserved than the nodes that the pool always has can use: those come first,
    and Karpenter would take what a node that is being replaced needs again."""
    return pool.reserved_nodes > pool.base_nodes


def _subnet(place: ClusterPlace, network: Network, zone: str) -> dict[str, Any]:
    if isinstance(network, ExistingNetwork):
        return {"id": network.private_subnets[zone]}
    return {"tags": {"Name": f"{place.name}-private-{zone}", "managed-by": "corral"}}


def _volumes(pool: EksPool, place: ClusterPlace) -> list[dict[str, Any]]:
    key = key_alias(place.account, place.region, place.name, "volumes")
    return [
        {
            "deviceName": volume.device,
            "ebs": {
                "volumeSize": f"{volume.size}Gi",
                "volumeType": "gp3",
                "encrypted": True,
                "kmsKeyID": key,
                "deleteOnTermination": True,
                **({"iops": volume.iops} if volume.iops else {}),
                **({"throughput": volume.throughput} if volume.throughput else {}),
            },
        }
        for volume in node_volumes(pool)
    ]


def _kubelet(args: KubeletArgs) -> dict[str, Any]:
    """What Karpenter reckons with when it chooses how many nodes; the rest is in user data."""
    kept = kept_from_pods(args)
    return {
        "maxPods": args.pods,
        "kubeReserved": kept["kubeReserved"],
        "systemReserved": kept["systemReserved"],
        "evictionHard": kept["evictionHard"],
    }


def _user_data(name: str, pool: EksPool, gvisor_source: str) -> str:
    text = user_data(node_args(name, pool, None, gvisor_source=gvisor_source))
    most = MOST_BYTES - ADDED_BYTES
    if len(text.encode()) > most:
        raise ValueError(
            f"pool {name}: user data of {len(text.encode())} bytes; of EC2's {MOST_BYTES} "
            f"Karpenter needs {ADDED_BYTES}, so that {most} are left"
        )
    return text
