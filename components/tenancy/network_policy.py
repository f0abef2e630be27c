"""The first wall around a tenant's network: nothing in, nothing out."""

from __future__ import annotations

from components.documents import Document, metadata
from components.tenancy.namespace import tenant_namespace

DEFAULT_DENY = "corral-default-deny"


def default_deny_document(tenant: str) -> Document:
    """A NetworkPolicy that selects every pod and allows nothing, in either direction."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(DEFAULT_DENY, namespace=tenant_namespace(tenant)),
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
