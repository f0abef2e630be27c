"""AWS Node Termination Handler: drains nodes of Auto Scaling groups before their instances go.

Karpenter drains its own nodes. A group ends an instance without a word to Kubernetes: here it waits
in a lifecycle hook, the handler cordons and evicts, and lets it go when nothing is left.
"""

from __future__ import annotations

from typing import Any

from components.scaling.karpenter import STEADY
from components.scaling.names import DRAINER, ClusterPlace
from corral.policy.program.exemptions import PREFIX

HEARTBEAT = 900
"""Seconds between two signs of life that keep an instance in its hook."""

LONGEST = 48 * 3600
"""Seconds that EC2 Auto Scaling holds an instance in a hook, at most."""

MARGIN = 900
"""Seconds before that by which a drain gives up, so that it can be told."""


_USER = 10001


def drain_seconds(hours: int) -> int:
    """How long sandboxes that may get that old are waited for: until the last has ended by its age,
    but no longer than EC2 waits."""
    return min(hours * 3600, LONGEST - MARGIN)


def drainer_values(place: ClusterPlace, *, hours: int) -> dict[str, Any]:
    """Values of the handler's chart. `hours` is the greatest age of a sandbox."""
    return {
        "enableSqsTerminationDraining": True,
        # Each drain keeps one of them until the node's last sandbox has ended.
        "workers": 50,
        "queueURL": place.queue_url("drainer"),
        "awsRegion": place.region,
        "managedTag": place.base_tag,
        "checkTagBeforeDraining": True,
        "useProviderId": True,
        "serviceAccount": {
            "create": True,
            "name": DRAINER,
            "annotations": {
                f"{PREFIX}account-tokens": "the chart mounts it by the account's default, and the "
                "account has one pod"
            },
        },
        "podAnnotations": {
            f"{PREFIX}image-digest": "no digest of it could be checked where its version was "
            "pinned: the tag alone is exact"
        },
        "rbac": {"create": True, "pspEnabled": False},
        "podTerminationGracePeriod": -1,
        "nodeTerminationGracePeriod": drain_seconds(hours),
        "heartbeatInterval": HEARTBEAT,
        "heartbeatUntil": LONGEST,
        "deleteSqsMsgIfNodeNotFound": True,
        "ignoreDaemonSets": True,
        "deleteLocalData": True,
        "emitKubernetesEvents": True,
        "jsonLogging": True,
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                STEADY,
                                {"key": "corral.dev/tier", "operator": "DoesNotExist"},
                            ]
                        }
                    ]
                }
            }
        },
        "podSecurityContext": {"fsGroup": _USER, "seccompProfile": {"type": "RuntimeDefault"}},
        "securityContext": {
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"memory": "256Mi"},
        },
    }
