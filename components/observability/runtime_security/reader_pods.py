"""The reader of gVisor's events, on each node of that tier."""

from __future__ import annotations

import hashlib
import json

from components.documents import Document, metadata
from components.isolation.node_labels import tier_taint
from components.isolation.verification import unverified_toleration
from components.network.egress.place import UNBUILT
from components.network.policies.places import PART_LABEL
from components.observability.place import ObservabilityPlace
from components.observability.runtime_security.names import (
    ALERTS_URL,
    DNS_EGRESS,
    READER_NAME,
    READER_PORT,
    SIDEKICK_EGRESS,
    ingress_from_prometheus,
    policy,
)
from components.observability.runtime_security.seccheck import (
    FOLDER,
    READER,
    SOCKET,
    reader_document,
)
from components.observability.runtime_security.watched import classes_of, serves, watched
from components.observability.stack.monitors import Target, pod_monitor
from components.observability.stack.placement import exempt, resources
from corral.settings.observability import NODES_NAMESPACE
from corral.settings.tiers import TIER_LABEL, Tier

_DETECTIONS = "/etc/corral"
_FILE = "detections.json"
_LOGS = "/var/log/containers"
_LABELS = {PART_LABEL: READER_NAME}
_WHY = (
    "sandboxes connect to a socket of its node; it lists whose log files there are, and reads none"
)


def reader_documents(place: ObservabilityPlace) -> list[Document]:
    """All of it; nothing where no node is of tier gvisor."""
    if not serves(place, Tier.GVISOR):
        return []
    told = json.dumps(
        reader_document(watched(place), classes_of(place, Tier.GVISOR)), separators=(",", ":")
    )
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(READER_NAME, namespace=NODES_NAMESPACE),
            "data": {_FILE: told},
        },
        policy(
            READER_NAME,
            _LABELS,
            ingress=[ingress_from_prometheus(READER_PORT)],
            egress=[SIDEKICK_EGRESS, DNS_EGRESS],
        ),
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {
                **metadata(READER_NAME, namespace=NODES_NAMESPACE, labels=_LABELS),
                # Nodes come and go: no reason to wait.
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            "spec": {
                "selector": {"matchLabels": _LABELS},
                # A reader that is replaced leaves the sandboxes of its node untold: that is done
                # node by node, when there are none, or when somebody chooses to.
                "updateStrategy": {"type": "OnDelete"},
                "template": {
                    "metadata": {
                        "labels": _LABELS,
                        "annotations": {
                            **exempt("volume-types", reason=_WHY),
                            **_by_tag(_image(place)),
                            # New pods of the set take the new file; running ones keep theirs.
                            "corral.dev/detections": hashlib.sha256(told.encode()).hexdigest()[:16],
                        },
                    },
                    "spec": _pod(_image(place)),
                },
            },
        },
        pod_monitor(
            Target(
                job=READER_NAME,
                namespace=NODES_NAMESPACE,
                labels=_LABELS,
                port=READER_PORT,
                kept="corral_seccheck_.*",
                honor=True,
            )
        ),
    ]


def _image(place: ObservabilityPlace) -> str:
    security = place.observability.runtime_security
    if security is not None and security.reader is not None:
        return security.reader
    return place.egress.control_image if place.egress else UNBUILT.format(name="egress-control")


def _by_tag(image: str) -> dict[str, str]:
    if "@sha256:" in image:
        return {}
    return exempt("image-digest", reason="the stack names it by its tag, or runs nothing at all")


def _pod(image: str) -> Document:
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": "system-node-critical",
        "nodeSelector": {TIER_LABEL: str(Tier.GVISOR)},
        # There before the node opens: a sandbox that starts earlier tells nothing.
        "tolerations": [
            {**tier_taint(Tier.GVISOR), "operator": "Equal"},
            unverified_toleration(),
        ],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": READER,
            "runAsGroup": READER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "reader",
                "image": image,
                "command": ["python", "-m", "warden.seccheck"],
                "args": [
                    f"--detections={_DETECTIONS}/{_FILE}",
                    f"--socket={SOCKET}",
                    f"--logs={_LOGS}",
                    f"--send-to={ALERTS_URL}",
                    f"--port={READER_PORT}",
                ],
                "ports": [{"name": "metrics", "containerPort": READER_PORT, "protocol": "TCP"}],
                "readinessProbe": {"httpGet": {"path": "/ready", "port": READER_PORT}},
                "resources": resources("50m", "96Mi", "512Mi"),
                "securityContext": {
                    "privileged": False,
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "detections", "mountPath": _DETECTIONS, "readOnly": True},
                    {"name": "events", "mountPath": FOLDER},
                    {"name": "logs", "mountPath": _LOGS, "readOnly": True},
                ],
            }
        ],
        "volumes": [
            {"name": "detections", "configMap": {"name": READER_NAME}},
            # Made when the node was: a node without it is none that sandboxes tell anything on.
            {"name": "events", "hostPath": {"path": FOLDER, "type": "Directory"}},
            {"name": "logs", "hostPath": {"path": _LOGS, "type": "Directory"}},
        ],
    }
