"""Settings that say every key, and ways to break one of them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final


class _Removed:
    def __repr__(self) -> str:
        return "removed"


REMOVED: Final = _Removed()
"""In the place of a value: the key goes."""

_GOOD: dict[str, Any] = {
    "cluster": {"kind": "existing", "kubeconfig": "~/.kube/config", "context": "agents"},
    "pools": {
        "system": {"nodes": 1, "cpu": 4, "memory": "16Gi", "disk": "100Gi"},
        "shared": {
            "tier": "gvisor",
            "runtimes": ["gvisor"],
            "nodes": 2,
            "cpu": 15.5,
            "memory": "60Gi",
            "disk": "200Gi",
            "pods": 100,
            "processes": 2048,
            "architecture": "arm64",
        },
        "virtual": {
            "tier": "microvm",
            "nodes": 2,
            "cpu": "30",
            "memory": "128Gi",
            "disk": "400Gi",
            "processes": 4096,
        },
        "sealed": {"tier": "confidential", "nodes": 1, "cpu": 8, "memory": "32Gi", "disk": "1Ti"},
    },
    "classes": {
        "planner": {
            "tier": "gvisor",
            "runtime": "gvisor",
            "limits": {"cpu": 2, "memory": "4Gi"},
            "requests": {"cpu": "500m", "memory": "1Gi"},
            "disk": "10Gi",
            "processes": 1024,
            "max-age-hours": 48,
            "priority": 400,
        },
        "worker": {
            "tier": "microvm",
            "limits": {"cpu": 4, "memory": "8Gi"},
            "requests": {"cpu": 1, "memory": "4Gi"},
            "memory-overcommit": 2,
            "processes": 4096,
        },
        "sealed": {"tier": "confidential"},
    },
    "tenants": {
        "acme": {
            "tier": "gvisor",
            "agents": {"planner": 2, "worker": 10},
            "volumes": {"count": 2, "storage": "20Gi"},
            "orchestrator": {"groups": ["acme-operators"], "exec": True},
            "readers": ["acme"],
        },
        "vault": {"tier": "confidential", "agents": {"sealed": 1}},
    },
    "admission": {"images-by-digest": False},
}


def good(edits: dict[str, Any] | None = None) -> dict[str, Any]:
    """A fresh value of `corral:settings`, with values put at dotted paths: `{"pools.a.cpu": 3}`."""
    value = deepcopy(_GOOD)
    for path, new in (edits or {}).items():
        *above, last = path.split(".")
        here = value
        for key in above:
            here = here[key]
        if new is REMOVED:
            del here[last]
        else:
            here[last] = deepcopy(new)
    return value
