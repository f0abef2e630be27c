"""Gateways on the cluster: Envoy, on nodes of its own where there are some."""

from __future__ import annotations

import json
from typing import Any

from components.documents import Document
from components.isolation.node_labels import PURPOSE_LABEL
from components.network.egress.place import EgressPlace
from components.network.egress.pods import (
    CLIENT_MOUNT,
    CONTROL_HOST,
    account_document,
    budget_document,
    client_volume,
    container,
    control_alias,
    deployment_document,
    empty_volume,
    in_egress,
    pod_spec,
    probe,
)
from components.network.gateway.bootstrap import DRAIN_ARGUMENTS, HEALTH_PORT, bootstrap
from components.network.gateway.discovery import ControlPlane
from components.network.policies.places import CONTROL_PORT, GATEWAY
from corral.settings.quantities import bytes_text, parse_bytes

BOOTSTRAP = "gateway-bootstrap"
BOOTSTRAP_FOLDER, BOOTSTRAP_FILE = "/etc/egress/envoy", "bootstrap.json"
OWN_FOLDER = "/run/egress"
_OWN_NAME = "POD_NAME"

MEMORY = parse_bytes("2Gi")
MOST_HEAP = MEMORY // 5 * 4
"""Envoy takes no more connections at 95 % of it, before the kernel ends it at the limit."""
MOST_CONNECTIONS = 50_000

WORKERS = 2
CPU_PERCENT = 70
"""Of what a gateway asks for: beyond that there is one more."""

DRAIN_SECONDS = 600
"""How long a gateway that is to go lives on. It gets no new connections from the first second; most
tunnels end by themselves in that time, and whoever is cut connects again elsewhere."""


def gateway_documents(place: EgressPlace) -> list[Document]:
    """Account, budget, autoscaler and what Envoy starts with; without its pods."""
    config = bootstrap(
        OWN_FOLDER,
        control=ControlPlane(host=CONTROL_HOST, port=CONTROL_PORT),
        most_connections=MOST_CONNECTIONS,
        most_heap=MOST_HEAP,
    )
    return [
        account_document(GATEWAY),
        in_egress("ConfigMap", BOOTSTRAP, data={BOOTSTRAP_FILE: json.dumps(config)}),
        budget_document(GATEWAY),
        _autoscaler(place),
    ]


def gateway_deployment_document(place: EgressPlace, control: object) -> Document:
    """Its pods. `control` is the address of the control plane's Service."""
    envoy = container(
        "envoy",
        place.envoy_image,
        command=[
            "envoy",
            *("--config-path", f"{BOOTSTRAP_FOLDER}/{BOOTSTRAP_FILE}"),
            *("--concurrency", str(WORKERS)),
            *("--log-level", "warning"),
            # The control plane measures each of them by itself.
            *("--service-node", f"$({_OWN_NAME})"),
            # Nothing takes over from it in its own pod.
            "--disable-hot-restart",
            *DRAIN_ARGUMENTS,
        ],
        requests={"cpu": "1", "memory": "1Gi", "ephemeral-storage": "64Mi"},
        memory=bytes_text(MEMORY),
        mounts={
            "bootstrap": (BOOTSTRAP_FOLDER, False),
            "own": (OWN_FOLDER, True),
            **CLIENT_MOUNT,
        },
        env=[{"name": _OWN_NAME, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        ports=[{"name": "health", "containerPort": HEALTH_PORT, "protocol": "TCP"}],
        readinessProbe=probe("/ready", HEALTH_PORT),
        livenessProbe={"tcpSocket": {"port": HEALTH_PORT}, "periodSeconds": 10},
        lifecycle={"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}},
    )
    own: dict[str, Any] = {}
    if place.nodes:
        own = {"nodeSelector": place.node_selector, "tolerations": [_toleration()]}
    pod = pod_spec(
        GATEWAY,
        containers=[envoy],
        volumes=[
            {"name": "bootstrap", "configMap": {"name": BOOTSTRAP}},
            empty_volume("own", "64Mi"),
            client_volume(),
        ],
        servers=place.servers,
        alone=bool(place.nodes),
        hostAliases=control_alias(control),
        terminationGracePeriodSeconds=DRAIN_SECONDS + 10,
        **own,
    )
    found = deployment_document(GATEWAY, pod, replicas=None, surge=not place.nodes)
    # One after the other, each when the last one's tunnels are over: slow is no failure.
    found["spec"]["progressDeadlineSeconds"] = DRAIN_SECONDS * 2
    longest = DRAIN_SECONDS * 2 * place.most_replicas
    found["metadata"]["annotations"] = {"pulumi.com/timeoutSeconds": str(longest)}
    return found


def _toleration() -> Document:
    value = "egress-gateway"
    return {"key": PURPOSE_LABEL, "operator": "Equal", "value": value, "effect": "NoSchedule"}


def _autoscaler(place: EgressPlace) -> Document:
    """Needs the cluster's metrics API for more than the fewest."""
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": CPU_PERCENT}}
    return in_egress(
        "HorizontalPodAutoscaler",
        GATEWAY,
        api="autoscaling/v2",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": GATEWAY},
            "minReplicas": place.egress.replicas,
            "maxReplicas": place.most_replicas,
            "metrics": [{"type": "Resource", "resource": cpu}],
            # A gateway that goes takes tunnels with it: not for a quiet minute.
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 1800}},
        },
    )
