"""The one way into a sandbox from the platform: the exporter asks agents how they are.

What answers is whatever runs in the sandbox; what may ask is the exporter alone, and nothing can be
told by it (docs/guard.md).
"""

from __future__ import annotations

from components.documents import Document, metadata
from components.network.policies.places import (
    NAMESPACE_NAME,
    PART_LABEL,
    QUARANTINE_LABEL,
    SANDBOXES,
    namespace,
    part,
)
from components.network.policies.tier import ALLOWED_ORDER, policy, rule
from components.tenancy.namespace import tenant_namespace
from corral.policy.steering import TENANT_LABEL
from corral.settings.observability import NAMESPACE

EXPORTER = "corral-exporter"
"""Its pods' label."""
STATUS_PORT = 9797
"""Where a sandbox's guard answers."""

_PORTS = [{"protocol": "TCP", "port": STATUS_PORT}]


def status_policy() -> Document:
    """With Calico, for all tenants at once. A quarantine is judged before it."""
    return policy(
        "agents-answer",
        order=ALLOWED_ORDER,
        ingress=[
            rule(
                "exporter",
                "Allow",
                protocol="TCP",
                source={"namespaceSelector": namespace(NAMESPACE), "selector": part(EXPORTER)},
                destination={"ports": [STATUS_PORT]},
            )
        ],
        namespaceSelector=SANDBOXES,
    )


def floor_status_policy(tenant: str) -> Document:
    """Without, in each tenant's namespace. Kubernetes can't say here that the whole namespace is in
    quarantine: the exporter leaves such a one alone by itself."""
    asked = {
        "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: NAMESPACE}},
        "podSelector": {"matchLabels": {PART_LABEL: EXPORTER}},
    }
    free = {"key": QUARANTINE_LABEL, "operator": "NotIn", "values": ["true"]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata("corral-agents-answer", namespace=tenant_namespace(tenant)),
        "spec": {
            "podSelector": {"matchExpressions": [free]},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [asked], "ports": _PORTS}],
        },
    }


def asking_policy(api_server: list[Document]) -> Document:
    """The exporter's own side: sandboxes by that port, and the API server; nobody else."""
    sandboxes = {"namespaceSelector": {"matchExpressions": [_exists(TENANT_LABEL)]}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(EXPORTER, namespace=NAMESPACE),
        "spec": {
            "podSelector": {"matchLabels": {PART_LABEL: EXPORTER}},
            "policyTypes": ["Egress"],
            "egress": [{"to": [sandboxes], "ports": _PORTS}, *api_server],
        },
    }


def _exists(label: str) -> Document:
    return {"key": label, "operator": "Exists"}
