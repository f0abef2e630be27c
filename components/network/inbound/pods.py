"""The way in on the cluster: Envoy, which has no token, and beside it the verifier, which has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from components.documents import Document, metadata
from components.network.egress.pods import container, empty_volume, pod_spec, probe
from components.network.inbound.bootstrap import bootstrap, certificate_document
from components.network.inbound.places import (
    ADMIN_FOLDER,
    CONFIG_FOLDER,
    HEALTH_PORT,
    NAME,
    NAMESPACE,
    ROUTER_PORT,
    ROUTER_TLS,
    SHARED_FOLDER,
    TLS_FOLDER,
    VERIFIER_HEALTH_PORT,
    WEBHOOKS_PORT,
    WEBHOOKS_SERVICE,
    WEBHOOKS_TLS,
)
from components.network.policies.places import PART_LABEL
from corral.policy.program.exemptions import PREFIX as EXEMPT
from corral.settings.inbound import InboundDoors

REPLICAS = 2
CONFIG = "inbound-envoy"
BOOTSTRAP_FILE = "envoy.json"
CONFIG_ANNOTATION = "inbound.corral.dev/config"
"""Of pods: which configuration they were started with."""
DRAIN_SECONDS = 20
"""How long a pod that is to go still answers: longer than endpoints take to be told."""

_ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
_LABELS = {PART_LABEL: NAME}
_BY_TAG = "named by its exact tag, which network.inbound.images takes as well as a digest"


def config_document(doors: InboundDoors, pods: Sequence[str]) -> Document:
    """What Envoy starts with. It is the same for all tenants, and changes with the doors alone."""
    files = {BOOTSTRAP_FILE: bootstrap(doors, pods=pods)}
    for door in _secrets(doors):
        files[f"{door}-tls.json"] = certificate_document(door)
    data = {name: json.dumps(content, sort_keys=True) for name, content in files.items()}
    return _document("ConfigMap", CONFIG, data=data)


def service_documents(doors: InboundDoors) -> list[Document]:
    """Where orchestrators and senders come in. Connections of senders go to a pod of the node that
    they come to, and keep their address: policy judges it."""
    found = []
    if doors.router is not None:
        port = {"name": "https", "port": 443, "targetPort": ROUTER_PORT, "protocol": "TCP"}
        found.append(_document("Service", NAME, spec={"selector": _LABELS, "ports": [port]}))
    if doors.webhooks is not None:
        port = {"name": "https", "port": 443, "targetPort": WEBHOOKS_PORT, "protocol": "TCP"}
        service = _document(
            "Service",
            WEBHOOKS_SERVICE,
            spec={
                "type": "LoadBalancer",
                "selector": _LABELS,
                "ports": [port],
                "externalTrafficPolicy": "Local",
                "loadBalancerSourceRanges": list(doors.webhooks.sources),
            },
        )
        service["metadata"]["annotations"] = {
            "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
            # It has an address when whoever makes load balancers on this cluster gave it one.
            "pulumi.com/skipAwait": "true",
        }
        found.append(service)
    return found


def budget_document() -> Document:
    """One at a time may be gone on purpose."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": _LABELS}}
    return _document("PodDisruptionBudget", NAME, api="policy/v1", spec=spec)


def deployment_document(
    doors: InboundDoors,
    *,
    pods: Sequence[str],
    envoy_image: str,
    verifier_image: str,
) -> Document:
    """Its pods. Nodes for sandboxes are tainted: these are on the platform's own."""
    host = ["--host", doors.webhooks.host] if doors.webhooks is not None else []
    verifier = container(
        "verifier",
        verifier_image,
        command=["python", "-m", "warden.inbound", *host, "--pods", *pods],
        requests={"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "16Mi"},
        memory="512Mi",
        mounts={"shared": (SHARED_FOLDER, True), "account": (_ACCOUNT_FOLDER, False)},
        # Before Envoy, which starts with what it writes, and until after Envoy.
        restartPolicy="Always",
        startupProbe=probe("/ready", VERIFIER_HEALTH_PORT, seconds=1, failures=60),
        livenessProbe={"tcpSocket": {"port": VERIFIER_HEALTH_PORT}, "periodSeconds": 10},
    )
    envoy = container(
        "envoy",
        envoy_image,
        command=[
            "envoy",
            *("--config-path", f"{CONFIG_FOLDER}/{BOOTSTRAP_FILE}"),
            *("--concurrency", "2"),
            *("--log-level", "warning"),
            # Nothing takes over from it in its own pod.
            "--disable-hot-restart",
        ],
        requests={"cpu": "200m", "memory": "256Mi", "ephemeral-storage": "16Mi"},
        memory="768Mi",
        mounts={
            "config": (CONFIG_FOLDER, False),
            "shared": (SHARED_FOLDER, False),
            "own": (ADMIN_FOLDER, True),
            **{name: (f"{TLS_FOLDER}/{name}", False) for name in _secrets(doors)},
        },
        ports=[
            {"name": name, "containerPort": port, "protocol": "TCP"}
            for name, port in (*_doors(doors).items(), ("health", HEALTH_PORT))
        ],
        readinessProbe=probe("/ready", HEALTH_PORT),
        livenessProbe={"tcpSocket": {"port": HEALTH_PORT}, "periodSeconds": 10},
        lifecycle={"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}},
    )
    pod = pod_spec(
        NAME,
        containers=[envoy],
        volumes=[
            {"name": "config", "configMap": {"name": CONFIG}},
            empty_volume("shared", "16Mi"),
            empty_volume("own", "1Mi"),
            _account_volume(),
            *(
                {"name": name, "secret": {"secretName": secret, "defaultMode": 0o440}}
                for name, secret in _secrets(doors).items()
            ),
        ],
        initContainers=[verifier],
        terminationGracePeriodSeconds=2 * DRAIN_SECONDS,
    )
    started_with = json.dumps(config_document(doors, pods)["data"], sort_keys=True)
    # Envoy reads it when it starts: another one is other pods.
    annotations = {CONFIG_ANNOTATION: hashlib.sha256(started_with.encode()).hexdigest()[:16]}
    if any("@" not in image for image in (envoy_image, verifier_image)):
        annotations[f"{EXEMPT}image-digest"] = _BY_TAG
    template: Document = {"labels": _LABELS, "annotations": annotations}
    deployment = _document(
        "Deployment",
        NAME,
        api="apps/v1",
        spec={
            "replicas": REPLICAS,
            "selector": {"matchLabels": _LABELS},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "template": {"metadata": template, "spec": pod},
        },
    )
    # Its pods wait for certificates, which their owners make once the namespace is there.
    deployment["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    return deployment


def _doors(doors: InboundDoors) -> dict[str, int]:
    return {
        name: port
        for name, door, port in (
            ("webhooks", doors.webhooks, WEBHOOKS_PORT),
            ("router", doors.router, ROUTER_PORT),
        )
        if door is not None
    }


def _secrets(doors: InboundDoors) -> dict[str, str]:
    """Secrets of the doors' certificates."""
    names = {"webhooks": WEBHOOKS_TLS, "router": ROUTER_TLS}
    return {door: names[door] for door in _doors(doors)}


def _account_volume() -> Document:
    """The verifier's token, as Kubernetes would mount it in every container."""
    root = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
        {"configMap": root},
    ]
    return {"name": "account", "projected": {"sources": sources, "defaultMode": 0o440}}


def _document(kind: str, name: str, *, api: str = "v1", **content: object) -> Document:
    meta = metadata(name, namespace=NAMESPACE)
    return {"apiVersion": api, "kind": kind, "metadata": meta, **content}
