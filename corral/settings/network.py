"""The cluster's network: who gives pods their addresses, and who stops what they may not reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from corral.settings.aws.cidrs import PodNetwork
from corral.settings.aws.texts import Cidr
from corral.settings.cluster import Cluster, EksCluster
from corral.settings.egress_addresses import EgressGateways
from corral.settings.inbound import InboundDoors
from corral.settings.platform_egress import PlatformEgress, egress_asked
from corral.settings.strict import Strict

if TYPE_CHECKING:
    from corral.settings.tenants import Tenant


class Calico(Strict):
    """Calico, installed by its operator. It enforces network policies, on the node's side of each
    sandbox's interface, whatever runtime is behind it."""

    edition: Literal["oss", "enterprise"] = "oss"
    """Calico Open Source, or Calico Enterprise: its images need a pull secret, and its features a
    licence."""
    license: Literal["stack", "owner"] | None = None
    """With edition enterprise: where its licence and its pull secret come from. `stack`: secrets of
    the stack, which `pulumi config set --secret` encrypts (`calico-license`, the LicenseKey's YAML;
    `calico-pull-secret`, the registry's JSON). `owner`: somebody puts the LicenseKey `default` and
    the Secret `tigera-pull-secret` (in `tigera-operator`) into the cluster, and neither passes
    through corral."""
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
    egress_gateways: Annotated[EgressGateways | None, Field(alias="egress-gateways")] = None
    """Calico Enterprise's own egress gateways, by which gateways' traffic gets Elastic IPs. With
    these defaults when left out, with edition enterprise on EKS and egress."""


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


def egress_gateways_of(
    network: ClusterNetwork, cluster: Cluster, tenants: Mapping[str, Tenant]
) -> EgressGateways | None:
    """The gateways with Elastic IPs that the stack has; None where it has none."""
    calico = calico_of(network, cluster)
    if calico is None or calico.edition != "enterprise" or calico.mode != "overlay":
        return None
    if not isinstance(cluster, EksCluster) or egress_asked(network.egress, tenants) is None:
        return None
    return calico.egress_gateways or EgressGateways()


def pod_network_of(network: ClusterNetwork) -> PodNetwork:
    """Where pods of nodes on EKS get their addresses from."""
    calico = network.calico
    return "vpc-prefixes" if calico is not None and calico.mode == "policy-only" else "overlay"
