"""Falcosidekick: takes alerts of Falco and of gVisor's readers, and hands them to Alertmanager.

Its chart keeps all settings in one Secret of hundreds of keys, nearly all of them empty. Ours are
four, none of them secret.
"""

from __future__ import annotations

from components.documents import Document, metadata
from components.observability.place import ObservabilityPlace
from components.observability.runtime_security.names import (
    ALERTMANAGER_EGRESS,
    ALERTMANAGER_URL,
    DNS_EGRESS,
    FALCO_PORT,
    FROM_NODES,
    READER_PORT,
    SIDEKICK_LABELS,
    SIDEKICK_NAME,
    SIDEKICK_PORT,
    ingress_from_prometheus,
    policy,
    scraping_policy,
)
from components.observability.runtime_security.watched import serves
from components.observability.stack.monitors import Target, pod_monitor
from components.observability.stack.placement import node_selector, resources, zones
from components.versions import FALCOSIDEKICK_IMAGE
from corral.policy.program.exemptions import PREFIX
from corral.settings.observability import NAMESPACE
from corral.settings.tiers import Tier

REPLICAS = 2
LEAST_PRIORITY = "warning"
"""Of what is told to Alertmanager: what only counts has a lower one."""
_USER = 65532
_SETTINGS = {
    "ALERTMANAGER_HOSTPORT": ALERTMANAGER_URL,
    # Version 1 of its API is gone.
    "ALERTMANAGER_ENDPOINT": "/api/v2/alerts",
    "ALERTMANAGER_MINIMUMPRIORITY": LEAST_PRIORITY,
    "LISTENPORT": str(SIDEKICK_PORT),
}


def sidekick_documents(place: ObservabilityPlace) -> list[Document]:
    """All of it; nothing where nobody has alerts."""
    if not (serves(place, Tier.CONTAINER) or serves(place, Tier.GVISOR)):
        return []
    return [
        scraping_policy(FALCO_PORT, READER_PORT),
        policy(
            SIDEKICK_NAME,
            SIDEKICK_LABELS,
            ingress=[FROM_NODES, ingress_from_prometheus(SIDEKICK_PORT)],
            egress=[ALERTMANAGER_EGRESS, DNS_EGRESS],
            namespace=NAMESPACE,
        ),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                **metadata(SIDEKICK_NAME, namespace=NAMESPACE, labels=SIDEKICK_LABELS),
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            "spec": {
                "type": "ClusterIP",
                "selector": SIDEKICK_LABELS,
                "ports": [{"name": "alerts", "port": SIDEKICK_PORT, "protocol": "TCP"}],
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(SIDEKICK_NAME, namespace=NAMESPACE, labels=SIDEKICK_LABELS),
            "spec": {
                "replicas": REPLICAS,
                "selector": {"matchLabels": SIDEKICK_LABELS},
                "template": {
                    "metadata": {
                        "labels": SIDEKICK_LABELS,
                        "annotations": {
                            f"{PREFIX}image-digest": "its publisher's digest was not to be had"
                        },
                    },
                    "spec": _pod(place),
                },
            },
        },
        pod_monitor(
            Target(
                job=SIDEKICK_NAME, namespace=NAMESPACE, labels=SIDEKICK_LABELS, port=SIDEKICK_PORT
            )
        ),
    ]


def _pod(place: ObservabilityPlace) -> Document:
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "nodeSelector": node_selector(place),
        "topologySpreadConstraints": zones(SIDEKICK_LABELS),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "falcosidekick",
                "image": FALCOSIDEKICK_IMAGE,
                "env": [{"name": name, "value": value} for name, value in _SETTINGS.items()],
                "ports": [{"name": "alerts", "containerPort": SIDEKICK_PORT, "protocol": "TCP"}],
                "livenessProbe": {"httpGet": {"path": "/ping", "port": SIDEKICK_PORT}},
                "readinessProbe": {"httpGet": {"path": "/ping", "port": SIDEKICK_PORT}},
                "resources": resources("20m", "32Mi", "128Mi"),
                "securityContext": {
                    "privileged": False,
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }
