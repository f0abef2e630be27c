"""The places that policies speak of, as selectors."""

from __future__ import annotations

from collections.abc import Mapping

from corral.policy.steering import TENANT_LABEL

API = "projectcalico.org/v3"

EGRESS_NAMESPACE = "corral-egress"
"""Of gateway, resolver and their control plane."""

PART_LABEL = "app.kubernetes.io/name"
GATEWAY, RESOLVER, CONTROL = "egress-gateway", "egress-resolver", "egress-control"
"""Values of that label on the pods there."""

PACKAGES = "egress-packages"
"""The same of tenants' package mirrors, which carry their tenant's name besides."""

CONTROL_PORT, PACKAGES_PORT = 8443, 8080
CONTROL_METRICS_PORT = 9811

QUARANTINE_LABEL = "corral.dev/quarantine"
"""On a pod, or on a tenant's namespace: `true` ends everything that it sends and gets."""

SANDBOXES = f"has({TENANT_LABEL})"
"""Namespaces of tenants. Only the platform can label a namespace so: admission sees to that."""

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""The label that Kubernetes itself sets on each namespace."""

API_SERVER: Mapping[str, str] = {"name": "kubernetes", "namespace": "default"}
CLUSTER_DNS: Mapping[str, str] = {"name": "kube-dns", "namespace": "kube-system"}
"""Services. A rule that names one speaks of the addresses and ports behind it, as they are now:
Calico follows its EndpointSlices. That needs no list of networks, on any cluster."""


def namespace(name: str) -> str:
    """A selector of one namespace."""
    return f"{NAMESPACE_NAME} == '{name}'"


def tenant_namespaces(tenant: str) -> str:
    """A selector of that tenant's namespace."""
    return f"{TENANT_LABEL} == '{tenant}'"


def part(name: str) -> str:
    """A selector of the pods of one part of the egress."""
    return f"{PART_LABEL} == '{name}'"


def mirror(tenant: str) -> str:
    """A selector of the pods of that tenant's package mirror."""
    return f"{part(PACKAGES)} && {tenant_namespaces(tenant)}"
