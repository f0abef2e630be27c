"""Who watches the cluster's events and writes each as a line, which its node's collector takes."""

from __future__ import annotations

from components.documents import Document, metadata
from components.network.egress.pods import container
from components.network.policies.fences import API_SERVER_PORTS
from components.network.policies.places import PART_LABEL
from components.observability.exporter.documents import exporter_image
from components.observability.logs.names import EVENTS, EVENTS_CONTAINER
from components.observability.place import ObservabilityPlace
from components.observability.stack.placement import PRIORITY, exempt, node_selector
from corral.settings.observability import NAMESPACE

USER = 65532
_LABELS = {PART_LABEL: EVENTS}
_RBAC = "rbac.authorization.k8s.io"


def events_documents(place: ObservabilityPlace) -> list[Document]:
    """One pod, that may list and watch events and nothing else. One alone: two would write
    everything twice."""
    image = exporter_image(place)
    by_tag = exempt("image-digest", reason="the stack names it by its tag, or runs nothing at all")
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(EVENTS, namespace=NAMESPACE),
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRole",
            "metadata": metadata(EVENTS),
            "rules": [{"apiGroups": [""], "resources": ["events"], "verbs": ["list", "watch"]}],
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata(EVENTS),
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": EVENTS},
            "subjects": [{"kind": "ServiceAccount", "name": EVENTS, "namespace": NAMESPACE}],
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata(EVENTS, namespace=NAMESPACE),
            "spec": {
                "podSelector": {"matchLabels": _LABELS},
                "policyTypes": ["Ingress", "Egress"],
                "egress": [
                    {
                        "to": [{"ipBlock": {"cidr": each}} for each in place.api_server],
                        "ports": [
                            {"protocol": "TCP", "port": port} for port in sorted(API_SERVER_PORTS)
                        ],
                    }
                ],
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(EVENTS, namespace=NAMESPACE, labels=_LABELS),
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": _LABELS},
                "strategy": {"type": "Recreate"},
                "template": {
                    "metadata": {
                        "labels": _LABELS,
                        "annotations": {} if "@sha256:" in image else by_tag,
                    },
                    "spec": {**_pod(image), "nodeSelector": node_selector(place)},
                },
            },
        },
    ]


def _pod(image: str) -> Document:
    return {
        "serviceAccountName": EVENTS,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        # The API server is asked by its address.
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["127.0.0.1"]},
        "priorityClassName": PRIORITY,
        "terminationGracePeriodSeconds": 5,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            container(
                EVENTS_CONTAINER,
                image,
                command=["python", "-m", "warden.events"],
                requests={"cpu": "20m", "memory": "64Mi"},
                memory="192Mi",
                mounts={},
            )
        ],
    }
