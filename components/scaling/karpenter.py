"""Karpenter: starts nodes when pods wait for some, and ends those that are empty or out of date."""

from __future__ import annotations

from typing import Any

from components.scaling.names import KARPENTER, ClusterPlace

STEADY = {"key": "karpenter.sh/nodepool", "operator": "DoesNotExist"}
"""Nodes that no controller ends: those that pools always have."""


def karpenter_values(place: ClusterPlace, *, replicas: int) -> dict[str, Any]:
    """Values of Karpenter's chart. `replicas` is at most the number of the platform's own nodes:
    two of them never share one. It has no webhooks: nothing calls it."""
    return {
        "replicas": replicas,
        "dnsPolicy": "ClusterFirst",
        "serviceAccount": {"create": True, "name": KARPENTER},
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
            },
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"topologyKey": "kubernetes.io/hostname"}
                ]
            },
        },
        "controller": {
            "resources": {
                "requests": {"cpu": "250m", "memory": "512Mi"},
                "limits": {"memory": "1Gi"},
            }
        },
        "settings": {
            "clusterName": place.name,
            "interruptionQueue": place.queue(KARPENTER),
            "eksControlPlane": True,
        },
    }
