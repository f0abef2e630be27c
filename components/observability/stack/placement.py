"""Where what observes runs: the platform's own nodes, one in each zone, with bounded resources."""

from __future__ import annotations

from typing import Any

from components.observability.place import ObservabilityPlace
from corral.policy.program.exemptions import PREFIX
from corral.settings.tiers import SYSTEM_LABEL

PRIORITY = "system-cluster-critical"
ZONE = "topology.kubernetes.io/zone"

BY_TAG = "the chart names it by its exact tag; a mirror of one's own (charts.source) may pin more"


def node_selector(place: ObservabilityPlace) -> dict[str, str]:
    """The platform's own nodes, where corral makes and labels them. Elsewhere the taints of all
    others keep everything on those."""
    return {SYSTEM_LABEL: "true"} if place.eks else {}


def zones(labels: dict[str, str]) -> list[dict[str, Any]]:
    """Over zones, as long as there are several that work."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": ZONE,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": labels},
        }
    ]


def resources(cpu: str, memory: str, most: str) -> dict[str, dict[str, str]]:
    """What it asks for, and where its memory ends. CPU has no end: it is measured here."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": most}}


def exempt(*rules: str, reason: str) -> dict[str, str]:
    """Annotations that say why a pod breaks these rules."""
    return {f"{PREFIX}{rule}": reason for rule in rules}
