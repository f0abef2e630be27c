"""The cluster's network: who gives pods their addresses, and who stops what they may not reach."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from corral.settings.aws.cidrs import PodNetwork
from corral.settings.aws.texts import Cidr
from corral.settings.cluster import Cluster, EksCluster
from corral.settings.inbound import InboundDoors
from corral.settings.platform_egress import PlatformEgress
from corral.settings.strict import Strict


class Calico(Strict):
    """Calico, installed by its operator. It enforces network policies, on the node's side of each
    sandbox's interface, whatever runtime is behind it."""

    edition: Literal["oss", "enterprise"] = "oss"
    """Calico Open Source, or Calico Enterprise: its images need the owner's pull secret
    (`tigera-pull-secret`, in the namespace `tigera-operator`), and its features the owner's
    LicenseKey; neither passes through corral."""
    mode: Literal["overlay", "policy-only"] = "overlay"
    """Whether pods get addresses of an overlay of Calico's own (VXLAN), or of the VPC by EKS' own
    plugin, with Calico for policies alone: that lets a pod send before its policies are there, and
    is for tier `container` only."""
    pods: Cidr = "192.168.0.0/16"
    """Addresses of pods in the overlay. No other network sees them: whatever leaves the cluster
    leaves from its node's address."""
    policy_wait: Annotated[int, Field(ge=1, le=60, alias="policy-wait")] = 10
    """Most seconds that a new pod is held until its policies are in force. After them it starts all
    the same: the wait is bounded."""
    flow_logs: Annotated[bool, Field(alias="flow-logs")] = False
    """Goldmane and Whisker: which pod talked to whom, and which policy let it or not. A technical
    preview of Calico Open Source."""
    egress_gateways: Annotated[bool, Field(alias="egress-gateways")] = False
    """Whether Calico Enterprise's own egress gateways may be used, namespace by namespace."""


class ClusterNetwork(Strict):
    """What the cluster's pods are connected by."""

    calico: Calico | None = None
    """Calico. On EKS it is always there, with these defaults when left out; on any other cluster
    only where this is said, since there the network may be somebody else's."""
    egress: PlatformEgress | None = None
    """Gateways and resolvers, by which sandboxes reach what their tenant's list names. With these
    defaults when left out, as soon as a tenant has `egress`."""
    inbound: InboundDoors | None = None
    """Doors by which tenants' webhooks and orchestrators come in to sandboxes. Left out, none."""


def calico_of(network: ClusterNetwork, cluster: Cluster) -> Calico | None:
    """The Calico that the stack installs; None where it installs none."""
    return network.calico or (Calico() if isinstance(cluster, EksCluster) else None)


def pod_network_of(network: ClusterNetwork) -> PodNetwork:
    """Where pods of nodes on EKS get their addresses from."""
    calico = network.calico
    return "vpc-prefixes" if calico is not None and calico.mode == "policy-only" else "overlay"
