"""Names, ports and ways between Falco, the reader and what hands their alerts on."""

from __future__ import annotations

from typing import Any

from components.documents import Document, metadata
from components.network.policies.places import PART_LABEL
from components.observability.stack.names import ALERTMANAGER, ALERTMANAGER_PORT
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE

READER_NAME, READER_PORT = "corral-seccheck", 8082
FALCO_NAME, FALCO_PORT = "corral-falco", 8765
SIDEKICK_NAME, SIDEKICK_PORT = "corral-falcosidekick", 2801

ALERTS_URL = f"http://{SIDEKICK_NAME}.{NAMESPACE}.svc:{SIDEKICK_PORT}/"
"""Where Falco and the reader hand their alerts in."""
ALERTMANAGER_URL = f"http://{ALERTMANAGER}.{NAMESPACE}.svc:{ALERTMANAGER_PORT}"

SIDEKICK_LABELS = {PART_LABEL: "falcosidekick"}
FALCO_LABELS = {PART_LABEL: "falco"}
"""As the charts label their pods."""

_NAME = "kubernetes.io/metadata.name"
_PROMETHEUS = {PART_LABEL: "prometheus"}


def _at(namespace: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    pods = {"podSelector": {"matchLabels": labels}} if labels else {}
    return {"namespaceSelector": {"matchLabels": {_NAME: namespace}}, **pods}


def _tcp(port: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port}]


SIDEKICK_EGRESS = {"to": [_at(NAMESPACE, SIDEKICK_LABELS)], "ports": _tcp(SIDEKICK_PORT)}
ALERTMANAGER_EGRESS = {
    "to": [_at(NAMESPACE, {PART_LABEL: "alertmanager"})],
    "ports": _tcp(ALERTMANAGER_PORT),
}
DNS_EGRESS = {
    "to": [_at("kube-system", {"k8s-app": "kube-dns"})],
    "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
}
FROM_NODES = {"from": [_at(NODES_NAMESPACE)], "ports": _tcp(SIDEKICK_PORT)}


def ingress_from_prometheus(port: int) -> dict[str, Any]:
    """That it is scraped."""
    return {"from": [_at(NAMESPACE, _PROMETHEUS)], "ports": _tcp(port)}


def scraping_policy(*ports: int) -> Document:
    """That Prometheus may scrape these ports of what looks at nodes."""
    egress = [{"to": [_at(NODES_NAMESPACE)], "ports": _tcp(port)} for port in ports]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata("prometheus-runtime-security", namespace=NAMESPACE),
        "spec": {
            "podSelector": {"matchLabels": _PROMETHEUS},
            "policyTypes": ["Egress"],
            "egress": egress,
        },
    }


def policy(
    name: str,
    labels: dict[str, str],
    *,
    ingress: list[dict[str, Any]],
    egress: list[dict[str, Any]],
    namespace: str = NODES_NAMESPACE,
) -> Document:
    """What these pods may send and be sent; nothing else."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name, namespace=namespace),
        "spec": {
            "podSelector": {"matchLabels": labels},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": egress,
        },
    }
