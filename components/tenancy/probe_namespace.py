"""The namespace in which admission is tried out: a tenant's, without a tenant and without walls."""

from __future__ import annotations

from components.documents import Document, metadata
from components.tenancy.service_accounts import service_account_document
from corral.policy.parameters import SANDBOX_ACCOUNT, tenant_parameters
from corral.policy.probes import PROBE_CLASSES, PROBE_NAMESPACE, PROBE_TENANT
from corral.policy.steering import TENANT_LABEL


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


def probe_account_document() -> Document:
    """The account that probes name, with the parameters that policies hold them to."""
    return service_account_document(
        SANDBOX_ACCOUNT,
        namespace=PROBE_NAMESPACE,
        annotations=tenant_parameters(PROBE_TENANT, PROBE_CLASSES),
    )
