"""The namespace in which admission is tried out: a tenant's, without a tenant and without walls."""

from __future__ import annotations

from components.documents import Document, metadata
from components.tenancy.namespace import TENANT_LABEL
from corral.policy.parameters import CONFIG_MAP, tenant_parameters
from corral.policy.probes import PROBE_CLASSES, PROBE_NAMESPACE, PROBE_TENANT


def probe_namespace_document() -> Document:
    """No Pod Security and no LimitRange: here only the admission policies can refuse a pod."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": metadata(PROBE_NAMESPACE, labels={TENANT_LABEL: PROBE_TENANT}),
    }


def probe_quota_document() -> Document:
    """No room for a single pod: quotas judge last, so probes still meet the policies first."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata("corral-nothing-runs-here", namespace=PROBE_NAMESPACE),
        "spec": {"hard": {"pods": "0"}},
    }


def probe_parameters_document() -> Document:
    """What the policies hold the probes to."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(CONFIG_MAP, namespace=PROBE_NAMESPACE),
        "data": tenant_parameters(PROBE_TENANT, PROBE_CLASSES),
    }
