"""The collector on each node, and who it may talk to.

It has no rights in the cluster: what it parses is written by sandboxes. One DaemonSet for each
tier, so that the tier of a line is its node's and nobody has to be asked for it.
"""

from __future__ import annotations

import hashlib

import yaml

from components.aws.logs.names import STREAM, log_group
from components.documents import Document, metadata
from components.network.policies.fences import DNS_PORT, INTERNET
from components.network.policies.places import NAMESPACE_NAME, PART_LABEL
from components.network.policies.refused import METADATA
from components.observability.logs.collector import Destination, configuration
from components.observability.logs.events import events_documents
from components.observability.logs.names import (
    COLLECTOR,
    HEALTH_PORT,
    METRICS_PORT,
    PODS,
    STATE,
    TOKEN_FOLDER,
    TOKEN_SECRET,
)
from components.observability.place import ObservabilityPlace
from components.observability.stack.placement import BY_TAG, exempt
from components.versions import COLLECTOR_IMAGE
from corral.settings.aws.texts import partition
from corral.settings.cluster import EksCluster
from corral.settings.logs import OtlpLogs
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE
from corral.settings.tiers import TIER_LABEL, Tier

LABELS = {PART_LABEL: COLLECTOR}
_FOLDER, _FILE = "/etc/otelcol", "collector.yaml"
_POD_IDENTITY = "169.254.170.23/32"
"""Where EKS' agent gives out the role's keys, on the node."""
_READS = "it reads the files of its node's containers, which are root's, and writes how far it came"


def logs_documents(place: ObservabilityPlace) -> list[Document]:
    """All of it; nothing where logs stay on their nodes."""
    if place.observability.logs is None:
        return []
    text = configuration_text(place)
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(COLLECTOR, namespace=NODES_NAMESPACE),
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(COLLECTOR, namespace=NODES_NAMESPACE),
            "data": {_FILE: text},
        },
        _policy(place),
        *(_daemon_set(place, text, tier) for tier in (None, *sorted(place.tiers))),
        *events_documents(place),
    ]


def destination(place: ObservabilityPlace) -> Destination:
    """Where records go. ValueError where that is CloudWatch, and the cluster isn't on EKS."""
    logs, cluster = place.observability.logs, place.cluster
    if isinstance(logs, OtlpLogs):
        return Destination(url=logs.url)
    if not isinstance(cluster, EksCluster):
        raise ValueError("CloudWatch takes logs of clusters on EKS")
    suffix = "amazonaws.com.cn" if partition(place.region) == "aws-cn" else "amazonaws.com"
    return Destination(
        url=f"https://logs.{place.region}.{suffix}/v1/logs",
        region=place.region,
        group=log_group(cluster.name),
        stream=STREAM,
    )


def configuration_text(place: ObservabilityPlace) -> str:
    """The collector's file."""
    value = configuration(destination(place), sorted(place.tenants))
    return yaml.safe_dump(value, sort_keys=False, width=4096)


def _policy(place: ObservabilityPlace) -> Document:
    logs = place.observability.logs
    port = _port(logs.url) if isinstance(logs, OtlpLogs) else 443
    dns = [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")]
    block = {"cidr": INTERNET, "except": [each for each in METADATA["metadata"] if ":" not in each]}
    egress: list[Document] = [
        {"to": [{"namespaceSelector": _named("kube-system")}], "ports": dns},
        {"to": [{"ipBlock": block}], "ports": [{"protocol": "TCP", "port": port}]},
    ]
    if not isinstance(logs, OtlpLogs):
        egress.append(
            {
                "to": [{"ipBlock": {"cidr": _POD_IDENTITY}}],
                "ports": [{"protocol": "TCP", "port": 80}],
            }
        )
    scraper = {
        "namespaceSelector": _named(NAMESPACE),
        "podSelector": {"matchLabels": {PART_LABEL: "prometheus"}},
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(COLLECTOR, namespace=NODES_NAMESPACE),
        "spec": {
            "podSelector": {"matchLabels": LABELS},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [scraper], "ports": [{"protocol": "TCP", "port": METRICS_PORT}]}],
            "egress": egress,
        },
    }


def _named(namespace: str) -> Document:
    return {"matchLabels": {NAMESPACE_NAME: namespace}}


def _port(url: str) -> int:
    authority = url.split("/")[2]
    return int(authority.rpartition(":")[2]) if ":" in authority else 443


def _daemon_set(place: ObservabilityPlace, text: str, tier: Tier | None) -> Document:
    name = COLLECTOR if tier is None else f"{COLLECTOR}-{tier}"
    labels = {**LABELS, "corral.dev/collects": str(tier or "platform")}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            **metadata(name, namespace=NODES_NAMESPACE, labels=LABELS),
            # Nodes come and go: no reason to wait.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        "spec": {
            "selector": {"matchLabels": labels},
            # Nothing is lost meanwhile: files wait, and the next one goes on where this one was.
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "20%"}},
            "template": {
                "metadata": {
                    "labels": labels,
                    "annotations": {
                        **exempt("non-root", "uid", "gid", "volume-types", reason=_READS),
                        **_by_tag(_image(place)),
                        # It reads its file once.
                        "corral.dev/configuration": hashlib.sha256(text.encode()).hexdigest()[:16],
                    },
                },
                "spec": _pod(place, tier),
            },
        },
    }


def _image(place: ObservabilityPlace) -> str:
    logs = place.observability.logs
    return (logs.image if logs else None) or COLLECTOR_IMAGE


def _by_tag(image: str) -> dict[str, str]:
    return {} if "@sha256:" in image else exempt("image-digest", reason=BY_TAG)


def _pod(place: ObservabilityPlace, tier: Tier | None) -> Document:
    token = isinstance(place.observability.logs, OtlpLogs)
    platform = {"matchExpressions": [{"key": TIER_LABEL, "operator": "DoesNotExist"}]}
    where: Document = (
        {
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [platform]
                    }
                }
            }
        }
        if tier is None
        else {"nodeSelector": {TIER_LABEL: str(tier)}}
    )
    mounts = {
        "configuration": (_FOLDER, False),
        "pods": (PODS, False),
        "state": (STATE, True),
        **({"token": (TOKEN_FOLDER, False)} if token else {}),
    }
    volumes: list[Document] = [
        {"name": "configuration", "configMap": {"name": COLLECTOR}},
        {"name": "pods", "hostPath": {"path": PODS, "type": "Directory"}},
        {"name": "state", "hostPath": {"path": STATE, "type": "DirectoryOrCreate"}},
    ]
    if token:
        volumes.append(
            {"name": "token", "secret": {"secretName": TOKEN_SECRET, "defaultMode": 0o400}}
        )
    return {
        "serviceAccountName": COLLECTOR,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": "system-node-critical",
        **where,
        # Whatever keeps others off a node: what runs there is written down.
        "tolerations": [{"operator": "Exists"}],
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "collector",
                "image": _image(place),
                "args": [f"--config={_FOLDER}/{_FILE}"],
                "env": [
                    {"name": "NODE_NAME", "valueFrom": _field("spec.nodeName")},
                    {"name": "POD_IP", "valueFrom": _field("status.podIP")},
                    {"name": "TIER", "value": str(tier or "")},
                    {"name": "GOMEMLIMIT", "value": "400MiB"},
                ],
                "ports": [{"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"}],
                "readinessProbe": {"httpGet": {"path": "/", "port": HEALTH_PORT}},
                # A flood costs this much of its node, and no more.
                "resources": {
                    "requests": {"cpu": "50m", "memory": "128Mi"},
                    "limits": {"cpu": "1", "memory": "512Mi"},
                },
                # Logs are root's own, and readable for nobody else.
                "securityContext": {
                    "runAsUser": 0,
                    "runAsGroup": 0,
                    "privileged": False,
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": name, "mountPath": path, **({} if writes else {"readOnly": True})}
                    for name, (path, writes) in mounts.items()
                ],
            }
        ],
        "volumes": volumes,
    }


def _field(path: str) -> Document:
    return {"fieldRef": {"fieldPath": path}}
