"""kata-monitor: microVMs' own figures, on the nodes that run them. Kata's stage brings the runtime
alone, so this comes by itself, from the image that its release publishes."""

from __future__ import annotations

from components.documents import Document, metadata
from components.isolation.node_labels import tier_taint
from components.network.policies.places import PART_LABEL
from components.observability.place import ObservabilityPlace
from components.observability.stack.names import KATA_MONITOR, KATA_MONITOR_PORT
from components.observability.stack.placement import exempt, resources
from components.versions import KATA_MONITOR_IMAGE
from corral.settings.observability import NODES_NAMESPACE
from corral.settings.tiers import TIER_LABEL, Tier

_CONTAINERD = "/run/containerd"
_SANDBOXES = "/run/vc/sbs"
_READS = "it asks each microVM's shim on its node for figures, and containerd for whose they are"


def has_kata(place: ObservabilityPlace) -> bool:
    """Whether it has anything to say: microVMs that aren't sealed from their own node."""
    return Tier.MICROVM in place.tiers


def kata_monitor_documents(place: ObservabilityPlace) -> list[Document]:
    """Its DaemonSet, on nodes of tier microvm; nothing without any."""
    if not has_kata(place):
        return []
    labels = {PART_LABEL: KATA_MONITOR}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {
                **metadata(KATA_MONITOR, namespace=NODES_NAMESPACE, labels=labels),
                # Nodes come and go: no reason to wait.
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {
                        "labels": labels,
                        "annotations": {
                            **exempt(*("non-root", "uid", "gid", "volume-types"), reason=_READS),
                            **exempt(
                                "image-digest",
                                reason="its publisher's digest was not to be had",
                            ),
                        },
                    },
                    "spec": _pod(),
                },
            },
        }
    ]


def _pod() -> Document:
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": "system-node-critical",
        "nodeSelector": {TIER_LABEL: str(Tier.MICROVM)},
        "tolerations": [{**tier_taint(Tier.MICROVM), "operator": "Equal"}],
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": KATA_MONITOR,
                "image": KATA_MONITOR_IMAGE,
                "args": [
                    f"-listen-address=0.0.0.0:{KATA_MONITOR_PORT}",
                    "-log-level=info",
                    f"-runtime-endpoint=unix://{_CONTAINERD}/containerd.sock",
                ],
                "ports": [
                    {"name": "metrics", "containerPort": KATA_MONITOR_PORT, "protocol": "TCP"}
                ],
                "resources": resources("50m", "64Mi", "300Mi"),
                # Sockets of shims and of containerd are root's own.
                "securityContext": {
                    "runAsUser": 0,
                    "runAsGroup": 0,
                    "privileged": False,
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "containerd", "mountPath": _CONTAINERD, "readOnly": True},
                    {"name": "sandboxes", "mountPath": _SANDBOXES, "readOnly": True},
                ],
            }
        ],
        "volumes": [
            {"name": "containerd", "hostPath": {"path": _CONTAINERD, "type": "Directory"}},
            {"name": "sandboxes", "hostPath": {"path": _SANDBOXES, "type": "DirectoryOrCreate"}},
        ],
    }
