"""The exporter's pod, and what it may look at.

One alone: two would say everything twice, ask every agent twice, and each remember half of how
memory grows. While it moves to another node its series have a gap, which an alert of its own names
when it lasts; so no budget holds its node back.
"""

from __future__ import annotations

import hashlib

from components.documents import Document, metadata
from components.network.egress.place import UNBUILT
from components.network.egress.pods import container, empty_volume
from components.network.policies.places import EGRESS_NAMESPACE, PART_LABEL
from components.network.policies.status_port import EXPORTER, STATUS_PORT
from components.observability.exporter.table import table_text
from components.observability.place import ObservabilityPlace
from components.observability.stack.monitors import Target, pod_monitor
from components.observability.stack.names import EXPORTER_PORT
from components.observability.stack.placement import PRIORITY, exempt, node_selector
from components.tenancy.namespace import SYSTEM_NAMESPACE
from corral.settings.observability import NAMESPACE

USER = 65532
TABLE_FOLDER, TABLE_FILE = "/etc/corral", "table.json"
LABELS = {PART_LABEL: EXPORTER}
MOST_SAMPLES = 250_000
"""Of one answer: twenty thousand sandboxes, and a thousand tenants."""
MOVED_SECONDS = 30
"""After a node stopped answering it starts elsewhere: nobody waits for five minutes."""

_RBAC = "rbac.authorization.k8s.io"
_LOOK = ["list", "watch"]


def exporter_documents(place: ObservabilityPlace) -> list[Document]:
    """All of it but its network policies."""
    table = table_text(place)
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(EXPORTER, namespace=NAMESPACE),
            "automountServiceAccountToken": False,
        },
        *_rights(place),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(EXPORTER, namespace=NAMESPACE),
            "data": {TABLE_FILE: table},
        },
        _deployment(place, table),
        pod_monitor(
            Target(
                job=EXPORTER,
                namespace=NAMESPACE,
                labels=LABELS,
                port=EXPORTER_PORT,
                kept="corral_.*|process_.*",
                # `namespace` and `pod` are the sandbox's, not its own.
                honor=True,
                tls=True,
                samples=MOST_SAMPLES,
            )
        ),
    ]


def exporter_image(place: ObservabilityPlace) -> str:
    """Its own, or one that the stack has of images/control already."""
    observability = place.observability
    security = observability.runtime_security
    return (
        observability.exporter
        or (place.egress.egress.images.control if place.egress else None)
        or (security.reader if security else None)
        or UNBUILT.format(name="egress-control")
    )


def _rights(place: ObservabilityPlace) -> list[Document]:
    """Nothing but lists and watches, and no Secret. Kubernetes has no rights by label: so pods of
    all namespaces, as kube-state-metrics has them."""
    cluster = [
        _rule("", ["pods", "namespaces"]),
        _rule("agents.x-k8s.io", ["sandboxes"]),
        _rule("extensions.agents.x-k8s.io", ["sandboxclaims", "sandboxwarmpools"]),
    ]
    found = [
        *_bound("ClusterRole", cluster, None),
        # Where whoever responds writes that it did.
        *_bound("Role", [_rule("", ["events"])], SYSTEM_NAMESPACE),
    ]
    if place.egress is not None:
        # The control plane's record of each tenant's list.
        found += _bound("Role", [_rule("", ["configmaps"])], EGRESS_NAMESPACE)
    return found


def _rule(group: str, resources: list[str]) -> Document:
    return {"apiGroups": [group], "resources": resources, "verbs": _LOOK}


def _bound(kind: str, rules: list[Document], namespace: str | None) -> list[Document]:
    meta = metadata(EXPORTER, namespace=namespace)
    return [
        {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": meta, "rules": rules},
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": f"{kind}Binding",
            "metadata": meta,
            "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": EXPORTER},
            "subjects": [{"kind": "ServiceAccount", "name": EXPORTER, "namespace": NAMESPACE}],
        },
    ]


def _deployment(place: ObservabilityPlace, table: str) -> Document:
    image = exporter_image(place)
    by_tag = exempt("image-digest", reason="the stack names it by its tag, or runs nothing at all")
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(EXPORTER, namespace=NAMESPACE, labels=LABELS),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": LABELS},
            # The next one knows all sandboxes before the last one goes.
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "template": {
                "metadata": {
                    "labels": LABELS,
                    "annotations": {
                        # It reads its table once.
                        "corral.dev/table": hashlib.sha256(table.encode()).hexdigest()[:16],
                        **({} if "@sha256:" in image else by_tag),
                    },
                },
                "spec": {**_pod(image), "nodeSelector": node_selector(place)},
            },
        },
    }


def _pod(image: str) -> Document:
    def asked(path: str, failures: int) -> Document:
        where = {"path": path, "port": EXPORTER_PORT, "scheme": "HTTPS"}
        return {"httpGet": where, "periodSeconds": 10, "failureThreshold": failures}

    exporter = container(
        "exporter",
        image,
        command=["python", "-m", "warden.exporter"],
        requests={"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "16Mi"},
        memory="400Mi",
        mounts={"table": (TABLE_FOLDER, False), "scratch": ("/tmp", True)},  # noqa: S108 - in the pod
        args=[
            f"--table={TABLE_FOLDER}/{TABLE_FILE}",
            f"--port={EXPORTER_PORT}",
            f"--agents-port={STATUS_PORT}",
        ],
        ports=[{"name": "metrics", "containerPort": EXPORTER_PORT, "protocol": "TCP"}],
        readinessProbe=asked("/ready", 3),
        livenessProbe=asked("/healthz", 6),
    )
    return {
        "serviceAccountName": EXPORTER,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        # The API server is asked by its address, and agents are by theirs.
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["127.0.0.1"]},
        "priorityClassName": PRIORITY,
        "terminationGracePeriodSeconds": 10,
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{each}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": MOVED_SECONDS,
            }
            for each in ("not-ready", "unreachable")
        ],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [exporter],
        "volumes": [
            {"name": "table", "configMap": {"name": EXPORTER}},
            empty_volume("scratch", "16Mi"),
        ],
    }
