"""A stack with a class on each tier, and one whose thresholds are its own."""

from __future__ import annotations

from typing import Any

from components.observability.place import ObservabilityPlace, observability_place
from corral.settings.loading import load_value

STACK: dict[str, Any] = {
    "cluster": {"kind": "existing", "kubeconfig": "/kubeconfig", "context": "metal"},
    "pools": {
        "system": {"nodes": 1, "cpu": 4, "memory": "16Gi", "disk": "100Gi"},
        "plain": {
            "tier": "container",
            "nodes": 2,
            "cpu": 32,
            "memory": "128Gi",
            "disk": "400Gi",
            "processes": 2000,
        },
        "shared": {
            "tier": "gvisor",
            "nodes": 2,
            "cpu": 32,
            "memory": "128Gi",
            "disk": "400Gi",
            "processes": 2000,
        },
        "metal": {
            "tier": "microvm",
            "nodes": 2,
            "cpu": 32,
            "memory": "128Gi",
            "disk": "400Gi",
            "processes": 2000,
        },
        "sealed": {
            "tier": "confidential",
            "nodes": 1,
            "cpu": 32,
            "memory": "128Gi",
            "disk": "400Gi",
            "processes": 2000,
        },
    },
    "classes": {
        "reviewer": {"tier": "container"},
        "planner": {"tier": "gvisor"},
        "worker": {"tier": "microvm"},
        "vault": {"tier": "confidential"},
        "runner": {
            "tier": "container",
            "max-age-hours": 48,
            "thresholds": {
                "memory": 0.5,
                "memory-for": "2m",
                "cpu": 0.5,
                "cpu-for": "2m",
                "disk": 0.5,
                "disk-for": "2m",
                "processes": 0.5,
                "leak-per-hour": 0.5,
                "leak-hours": 1,
                "exhaustion-hours": 1,
                "restarts-per-hour": 10,
                "pending": "30s",
                "overdue": "1h",
                "idle": "2h",
            },
        },
    },
    "tenants": {},
    "observability": {
        "prometheus": {"storage-class": "fast"},
        "exporter": "registry.example.org/corral/control:1.0.0",
        "runtime-security": None,
    },
}


def place(**observability: Any) -> ObservabilityPlace:
    """The stack's place, with these keys of `observability` besides."""
    value = {**STACK, "observability": {**STACK["observability"], **observability}}
    found = observability_place(load_value(value, "Pulumi.metal.yaml"))
    assert found is not None
    return found
