"""Who may talk to what observes, and whom it may talk to: all else in both namespaces is closed.

By Kubernetes' own policies on every cluster, with Calico too, which enforces them behind its own
tier. What is on its node's own network (node-exporter) no policy fences: it asks for a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from components.documents import Document, metadata
from components.network.policies.fences import API_SERVER_PORTS, DNS_PORT, INTERNET
from components.network.policies.places import NAMESPACE_NAME, PART_LABEL
from components.network.policies.refused import METADATA
from components.network.policies.status_port import asking_policy, status_policy
from components.observability.place import ObservabilityPlace
from components.observability.stack.monitors import targets
from components.observability.stack.names import (
    ALERTMANAGER_PEERS_PORT,
    ALERTMANAGER_PORT,
    CLUSTER_DNS_METRICS_PORT,
    DISK_EXPORTER,
    GRAFANA_PORT,
    KUBELET_PORT,
    NODE_EXPORTER_PORT,
    PROMETHEUS_PORT,
    STATE_METRICS,
)
from corral.settings.alerting import MailReceiver, WebhookReceiver
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE

SECURE = 443
_OPERATOR = "kube-prometheus-stack-prometheus-operator"
_PROMETHEUS = {PART_LABEL: "prometheus"}
_ALERTMANAGER = {PART_LABEL: "alertmanager"}
_GRAFANA = {PART_LABEL: "grafana"}


def policy_documents(place: ObservabilityPlace) -> list[Document]:
    """Every policy of the two namespaces."""
    return [
        *(
            _policy("corral-default-deny", namespace, {}, ingress=[], egress=[])
            for namespace in (NAMESPACE, NODES_NAMESPACE)
        ),
        *_figures(place),
        _prometheus(place),
        _alertmanager(place),
        *_grafana(place),
        *(
            _policy(name, NAMESPACE, {PART_LABEL: name}, egress=[_names(), _api_server(place)])
            for name in (_OPERATOR, STATE_METRICS)
        ),
        _policy(
            DISK_EXPORTER,
            NAMESPACE,
            {PART_LABEL: DISK_EXPORTER},
            egress=[_names(), _api_server(place), _nodes(place, KUBELET_PORT)],
        ),
        asking_policy([_api_server(place)]),
        # Its tier comes with the way out.
        *([status_policy()] if place.calico and place.egress else ()),
    ]


def _figures(place: ObservabilityPlace) -> list[Document]:
    """That whatever is in the two namespaces answers Prometheus, by the ports that it has."""
    scraper = [
        {"namespaceSelector": _named(NAMESPACE), "podSelector": {"matchLabels": _PROMETHEUS}}
    ]
    ports = [target.port for target in targets(place) if target.namespace == NODES_NAMESPACE]
    found = [_policy("figures", NAMESPACE, {}, ingress=[{"from": scraper}])]
    if ports:
        rule = {"from": scraper, "ports": _tcp(*ports)}
        found.append(_policy("figures", NODES_NAMESPACE, {}, ingress=[rule]))
    return found


def _prometheus(place: ObservabilityPlace) -> Document:
    remotes = [
        urlsplit(remote.url).port or SECURE
        for remote in place.observability.prometheus.remote_write.values()
    ]
    return _policy(
        "prometheus",
        NAMESPACE,
        _PROMETHEUS,
        ingress=[{"from": [{"podSelector": {}}], "ports": _tcp(PROMETHEUS_PORT)}],
        egress=[
            _names(),
            _api_server(place),
            _nodes(place, KUBELET_PORT, NODE_EXPORTER_PORT),
            {"to": [{"podSelector": {}}]},
            _to_namespace("kube-system", CLUSTER_DNS_METRICS_PORT),
            *(_to_namespace(each.namespace, each.port) for each in targets(place)),
            *_anywhere(remotes),
        ],
    )


def _alertmanager(place: ObservabilityPlace) -> Document:
    peers = [{"podSelector": {"matchLabels": _ALERTMANAGER}}]
    at_peers = [
        {"protocol": protocol, "port": ALERTMANAGER_PEERS_PORT} for protocol in ("TCP", "UDP")
    ]
    ports, namespaces = _receivers(place)
    return _policy(
        "alertmanager",
        NAMESPACE,
        _ALERTMANAGER,
        ingress=[
            {"from": [{"podSelector": {}}], "ports": _tcp(ALERTMANAGER_PORT)},
            {"from": peers, "ports": at_peers},
        ],
        egress=[
            _names(),
            {"to": peers, "ports": at_peers},
            *_anywhere(ports),
            # A Service's port isn't its pods': which of them answers is their own policy's word.
            *({"to": [{"namespaceSelector": _named(each)}]} for each in namespaces),
        ],
    )


def _receivers(place: ObservabilityPlace) -> tuple[list[int], list[str]]:
    """Ports of receivers beyond the cluster; namespaces of those in it."""
    alerts = place.observability.alerts
    ports: set[int] = set()
    namespaces: set[str] = set()
    for receiver in () if alerts is None else alerts.receivers.values():
        if isinstance(receiver, MailReceiver):
            ports.add(int(receiver.server.rpartition(":")[2]))
        elif isinstance(receiver, WebhookReceiver) and receiver.url is not None:
            address = urlsplit(receiver.url)
            if address.scheme == "http":
                namespaces.add(str(address.hostname).split(".")[1])
            else:
                ports.add(address.port or SECURE)
        else:
            ports.add(SECURE)
    return sorted(ports), sorted(namespaces)


def _grafana(place: ObservabilityPlace) -> list[Document]:
    grafana = place.observability.grafana
    if grafana is None:
        return []
    readers = [{"namespaceSelector": _named(each)} for each in grafana.namespaces]
    return [
        _policy(
            "grafana",
            NAMESPACE,
            _GRAFANA,
            ingress=[{"from": readers, "ports": _tcp(GRAFANA_PORT)}] if readers else [],
            egress=[
                _names(),
                _api_server(place),
                _to_pods(_PROMETHEUS, PROMETHEUS_PORT),
                _to_pods(_ALERTMANAGER, ALERTMANAGER_PORT),
            ],
        )
    ]


def _names() -> Document:
    ports = [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")]
    return {"to": [{"namespaceSelector": _named("kube-system")}], "ports": ports}


def _api_server(place: ObservabilityPlace) -> Document:
    return {
        "to": [{"ipBlock": {"cidr": each}} for each in place.api_server],
        "ports": _tcp(*API_SERVER_PORTS),
    }


def _nodes(place: ObservabilityPlace, *ports: int) -> Document:
    """Nodes' own addresses; where those aren't known, any, by these ports alone."""
    if place.nodes:
        return {"to": [{"ipBlock": {"cidr": each}} for each in place.nodes], "ports": _tcp(*ports)}
    return _anywhere(ports)[0]


def _anywhere(ports: Sequence[int]) -> list[Document]:
    """Any address by these ports, but no instance's metadata; nowhere without ports."""
    block = {"cidr": INTERNET, "except": [each for each in METADATA["metadata"] if ":" not in each]}
    return [{"to": [{"ipBlock": block}], "ports": _tcp(*ports)}] if ports else []


def _to_namespace(name: str, port: int) -> Document:
    return {"to": [{"namespaceSelector": _named(name)}], "ports": _tcp(port)}


def _to_pods(labels: dict[str, str], port: int) -> Document:
    return {"to": [{"podSelector": {"matchLabels": labels}}], "ports": _tcp(port)}


def _named(namespace: str) -> Document:
    return {"matchLabels": {NAMESPACE_NAME: namespace}}


def _tcp(*ports: int) -> list[Document]:
    return [{"protocol": "TCP", "port": port} for port in sorted(set(ports))]


def _policy(
    name: str,
    namespace: str,
    labels: dict[str, str],
    *,
    ingress: list[Document] | None = None,
    egress: list[Document] | None = None,
) -> Document:
    """A direction that is None isn't its business; one without rules it closes."""
    directions = {"Ingress": ingress, "Egress": egress}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name, namespace=namespace),
        "spec": {
            "podSelector": {"matchLabels": labels} if labels else {},
            "policyTypes": [each for each, rules in directions.items() if rules is not None],
            **{each.lower(): rules for each, rules in directions.items() if rules},
        },
    }
