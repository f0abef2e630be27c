"""A tenant's package mirror on the cluster: one pod, its room, and its two addresses."""

from __future__ import annotations

import hashlib

from components.documents import Document, metadata
from components.network.egress.pods import container, empty_volume, part_labels, pod_spec, probe
from components.network.gateway.ports import doors
from components.network.packages.nginx import CACHE_FOLDER, OWN_FOLDER, PORT, READY_PATH
from components.network.packages.registries import REGISTRIES_PORT
from components.network.policies.places import EGRESS_NAMESPACE, GATEWAY, PACKAGES
from corral.policy.program.exemptions import PREFIX as EXEMPT
from corral.policy.steering import TENANT_LABEL
from corral.settings.egress import Egress
from corral.settings.packages import Packages
from corral.settings.quantities import bytes_text

CONFIG_FOLDER, CONFIG_FILE = "/etc/packages", "nginx.conf"
CONFIG_ANNOTATION = "egress.corral.dev/packages-config"
"""Of pods: which configuration they were started with."""

_BY_TAG = "named by its exact tag, which network.egress.images takes as well as a digest"


def mirror_service(tenant: str) -> str:
    """Name of the mirror's Service, its Deployment and its configuration."""
    return f"packages-{tenant}"


def registries_service(tenant: str) -> str:
    """Name of the Service that the mirror leaves by."""
    return f"registries-{tenant}"


def mirror_service_documents(tenant: str, egress: Egress) -> tuple[Document, Document]:
    """Where sandboxes find the mirror, and where it finds the gateway."""
    http = {"name": "http", "port": 80, "targetPort": PORT, "protocol": "TCP"}
    target = doors(egress.number).registries
    tls = {"name": "tls", "port": REGISTRIES_PORT, "targetPort": target, "protocol": "TCP"}
    return (
        _service(mirror_service(tenant), tenant, mirror_labels(tenant), http),
        _service(registries_service(tenant), tenant, part_labels(GATEWAY), tls),
    )


def mirror_config_document(tenant: str, config: object) -> Document:
    """What nginx starts with. `config` is text, perhaps not known yet."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(mirror_service(tenant), tenant),
        "data": {CONFIG_FILE: config},
    }


def config_digest(config: str) -> str:
    """By which pods know which configuration they have."""
    return hashlib.sha256(config.encode()).hexdigest()[:16]


def mirror_deployment_document(
    tenant: str, packages: Packages, *, image: str, digest: object
) -> Document:
    """Its pod. What it keeps is gone with it; `digest` is that of its configuration."""
    room = bytes_text(most_room(packages))
    nginx = container(
        "nginx",
        image,
        command=["nginx", "-c", f"{CONFIG_FOLDER}/{CONFIG_FILE}", "-g", "daemon off;"],
        # A node whose disk hasn't that much left isn't chosen.
        requests={"cpu": "50m", "memory": "128Mi", "ephemeral-storage": room},
        memory="512Mi",
        mounts={
            "config": (CONFIG_FOLDER, False),
            "cache": (CACHE_FOLDER, True),
            "own": (OWN_FOLDER, True),
        },
        ports=[{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        readinessProbe=probe(READY_PATH, PORT),
        livenessProbe={"tcpSocket": {"port": PORT}, "periodSeconds": 10},
        lifecycle={"preStop": {"sleep": {"seconds": 5}}},
    )
    pod = pod_spec(
        PACKAGES,
        containers=[nginx],
        volumes=[
            {"name": "config", "configMap": {"name": mirror_service(tenant)}},
            empty_volume("cache", room),
            empty_volume("own", "64Mi"),
        ],
        # It has no rights, and no account of its own to have some.
        serviceAccountName="default",
    )
    # One tenant's packages push nothing of the platform from a node.
    del pod["priorityClassName"], pod["affinity"], pod["topologySpreadConstraints"]
    labels = mirror_labels(tenant)
    annotations = {CONFIG_ANNOTATION: digest}
    if "@" not in image:
        annotations[f"{EXEMPT}image-digest"] = _BY_TAG
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            **_metadata(mirror_service(tenant), tenant),
            # Whether an image can be pulled holds nothing else up: a tenant starts without it.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "Recreate"},
            "template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": pod},
        },
    }


def most_room(packages: Packages) -> int:
    """The cache, and what is under way until nginx has thrown as much away. Beyond it the kubelet
    ends the pod."""
    return packages.cache + packages.cache // 2


def mirror_labels(tenant: str) -> dict[str, str]:
    """Of the mirror's pods: policies go by both."""
    return {**part_labels(PACKAGES), TENANT_LABEL: tenant}


def _service(name: str, tenant: str, pods: dict[str, str], port: Document) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            **_metadata(name, tenant),
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        "spec": {"type": "ClusterIP", "selector": pods, "ports": [port]},
    }


def _metadata(name: str, tenant: str) -> Document:
    return metadata(name, namespace=EGRESS_NAMESPACE, labels={TENANT_LABEL: tenant})
