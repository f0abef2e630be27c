"""What scrapers may, beyond what their charts give them."""

from __future__ import annotations

from components.documents import Document, metadata
from components.observability.place import ObservabilityPlace
from components.observability.stack.names import (
    DISK_EXPORTER,
    NODE_EXPORTER,
    PROMETHEUS,
    STATE_METRICS,
)
from components.tenancy.namespace import platform_namespace_document
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE

_RBAC = "rbac.authorization.k8s.io"
_DISKS = "corral-disk-metrics"


def namespace_documents(_: ObservabilityPlace) -> list[Document]:
    """The second namespace: of what looks at its node."""
    labels = {"pod-security.kubernetes.io/enforce": "privileged"}
    document = platform_namespace_document(NODES_NAMESPACE)
    return [{**document, "metadata": metadata(NODES_NAMESPACE, labels=labels)}]


def rights_documents(_: ObservabilityPlace) -> list[Document]:
    """That Prometheus may read what the proxies in front of exporters guard, and that the exporter
    of ephemeral storage may ask kubelets for their summaries: nothing that runs anything."""
    return [
        *_reader(NAMESPACE, STATE_METRICS),
        *_reader(NODES_NAMESPACE, NODE_EXPORTER),
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRole",
            "metadata": metadata(_DISKS),
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["nodes", "pods"],
                    "verbs": ["get", "list", "watch"],
                },
                {"apiGroups": [""], "resources": ["nodes/stats"], "verbs": ["get"]},
            ],
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata(_DISKS),
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": _DISKS},
            "subjects": [{"kind": "ServiceAccount", "name": DISK_EXPORTER, "namespace": NAMESPACE}],
        },
    ]


def _reader(namespace: str, service: str) -> list[Document]:
    name = f"{service}-reader"
    return [
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "Role",
            "metadata": metadata(name, namespace=namespace),
            "rules": [
                # What the chart has its proxy ask the API server for.
                {
                    "apiGroups": [""],
                    "resources": [f"services/{service}"],
                    "resourceNames": [service],
                    "verbs": ["get"],
                }
            ],
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": metadata(name, namespace=namespace),
            "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": PROMETHEUS, "namespace": NAMESPACE}],
        },
    ]
