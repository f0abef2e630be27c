"""The namespaces of tenants and of the platform itself."""

from __future__ import annotations

from components.documents import Document, metadata
from components.versions import kubernetes_minor
from corral.policy.steering import TENANT_LABEL
from corral.settings.tenants import NAMESPACE_PREFIX
from corral.settings.tiers import TIER_LABEL, Tier

SYSTEM_NAMESPACE = "corral-system"


def tenant_namespace(tenant: str) -> str:
    """`agents-<tenant>`: where the tenant's sandboxes are."""
    return f"{NAMESPACE_PREFIX}{tenant}"


def tenant_namespace_document(tenant: str, tier: Tier) -> Document:
    """A tenant's namespace: Pod Security `restricted`, and labels that only administrators may
    change."""
    return _namespace(
        tenant_namespace(tenant),
        {TENANT_LABEL: tenant, TIER_LABEL: str(tier), **_restricted()},
    )


def system_namespace_document() -> Document:
    """The namespace of the platform's own workloads."""
    return platform_namespace_document(SYSTEM_NAMESPACE)


def platform_namespace_document(name: str) -> Document:
    """A namespace of some of the platform's workloads: Pod Security `restricted`."""
    return _namespace(name, _restricted())


def _namespace(name: str, labels: dict[str, str]) -> Document:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata(name, labels=labels)}


def _restricted() -> dict[str, str]:
    """The rules of one release, named: a cluster's upgrade doesn't change what is admitted."""
    prefix = "pod-security.kubernetes.io/"
    return {
        f"{prefix}{mode}{key}": value
        for mode in ("enforce", "audit", "warn")
        for key, value in (("", "restricted"), ("-version", kubernetes_minor()))
    }
