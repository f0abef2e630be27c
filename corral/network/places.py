"""Ends of connections as policies see them: sandboxes, parts of the egress, and known addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address

from components.network.policies.places import (
    API_SERVER,
    CLUSTER_DNS,
    CONTROL,
    EGRESS_NAMESPACE,
    GATEWAY,
    NAMESPACE_NAME,
    PACKAGES,
    PART_LABEL,
    RESOLVER,
)
from components.tenancy.namespace import tenant_namespace, tenant_namespace_document
from corral.network.deployed import Network
from corral.network.policies import Peer
from corral.policy.steering import TENANT_LABEL
from corral.settings.tiers import Tier

_PARTS = {"gateway": GATEWAY, "resolver": RESOLVER}

# Pods' addresses as clusters give them: what may be reached is allowed before private networks
# are refused, and that shows only where it is private.
_MIRROR = "10.0.0.15"
_ADDRESSES = {GATEWAY: "10.0.0.11", RESOLVER: "10.0.0.12", CONTROL: "10.0.0.13"}
_SANDBOX, _API_SERVER, _CLUSTER_DNS = "10.0.0.10", "10.0.0.1", "10.0.0.14"

METADATA_NAMES: Mapping[str, str] = {
    "metadata.google.internal": "169.254.169.254",
    "metadata": "169.254.169.254",
    "instance-data": "169.254.169.254",
    "instance-data.ec2.internal": "169.254.169.254",
}
"""Names that clouds give their metadata services, and the address that they lead to there."""

_IN_CLUSTER = r"(\.svc(\.cluster\.local)?)?\.?"
_OF_EGRESS = re.compile(rf"(gateway|resolver)-(.+)\.{re.escape(EGRESS_NAMESPACE)}{_IN_CLUSTER}")


def sandbox(tenant: str) -> Peer:
    """One of the tenant's."""
    name = tenant_namespace(tenant)
    labels = tenant_namespace_document(tenant, Tier.MICROVM)["metadata"]["labels"]
    return Peer(
        address=ip_address(_SANDBOX),
        namespace=name,
        namespace_labels={**labels, NAMESPACE_NAME: name},
    )


def part(name: str) -> Peer:
    """A pod of one part of the egress."""
    return Peer(
        address=ip_address(_ADDRESSES[name]),
        namespace=EGRESS_NAMESPACE,
        namespace_labels={NAMESPACE_NAME: EGRESS_NAMESPACE},
        labels={PART_LABEL: name},
    )


def mirror_of(tenant: str) -> Peer:
    """The pod of its package mirror."""
    return Peer(
        address=ip_address(_MIRROR),
        namespace=EGRESS_NAMESPACE,
        namespace_labels={NAMESPACE_NAME: EGRESS_NAMESPACE},
        labels={PART_LABEL: PACKAGES, TENANT_LABEL: tenant},
    )


def place_of(host: str, port: int, network: Network) -> tuple[str, Peer, int] | None:
    """What a name inside the cluster stands for, the pod behind it and the port there: for those
    who know its address without asking for the name."""
    if re.fullmatch(rf"kubernetes\.default{_IN_CLUSTER}", host):
        server = Peer(address=ip_address(_API_SERVER), service=dict(API_SERVER))
        return "the API server", server, port
    if re.fullmatch(rf"kube-dns\.kube-system{_IN_CLUSTER}", host):
        dns = Peer(address=ip_address(_CLUSTER_DNS), service=dict(CLUSTER_DNS))
        return "the cluster's DNS", dns, port
    if re.fullmatch(rf"egress-control\.{re.escape(EGRESS_NAMESPACE)}{_IN_CLUSTER}", host):
        return "the egress' control plane", part(CONTROL), port
    found = _OF_EGRESS.fullmatch(host)
    if found is None or network.lists.get(found[2]) is None:
        return None
    where, tenant = found[1], found[2]
    behind = network.target_ports(tenant)[where].get(port, port)
    return f"the {where}'s address of {tenant}", part(_PARTS[where]), behind
