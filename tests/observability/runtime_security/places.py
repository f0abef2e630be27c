"""Places of observability for the tests: one stack with every tier that somebody can look into."""

from __future__ import annotations

from typing import Any

from components.observability.place import ObservabilityPlace, observability_place
from corral.settings.loading import load_value

STACK: dict[str, Any] = {
    "cluster": {"kind": "embedded"},
    "pools": {
        "system": {"nodes": 1, "cpu": 8, "memory": "32Gi", "disk": "100Gi"},
        "trusted": {"tier": "container", "nodes": 1, "cpu": 8, "memory": "32Gi", "disk": "100Gi"},
        "sandboxed": {"tier": "gvisor", "nodes": 1, "cpu": 8, "memory": "32Gi", "disk": "100Gi"},
    },
    "classes": {
        "builder": {"tier": "container"},
        "worker": {"tier": "gvisor"},
    },
    "tenants": {},
    "observability": {"runtime-security": {"tool-runners": {"worker": ["codex"]}}},
}


def place(**changed: Any) -> ObservabilityPlace:
    """The place of that stack, with some of its keys changed."""
    found = observability_place(load_value({**STACK, **changed}, "test"))
    assert found is not None
    return found
