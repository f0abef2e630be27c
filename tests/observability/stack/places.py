"""A stack with everything that observability can have."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from components.observability.place import ObservabilityPlace, observability_place
from corral.settings.loading import load_value
from corral.settings.stack import Settings

ALERTS: dict[str, Any] = {
    "receivers": {
        "on-call": {"kind": "pagerduty", "secret": "oncall-pagerduty"},
        "chat": {"kind": "slack", "channel": "#agents", "secret": "chat-slack"},
        "records": {
            "kind": "email",
            "to": ["records@example.org", "on-call@example.org"],
            "from": "alerts@example.org",
            "server": "smtp.example.org:587",
            "username": "alerts@example.org",
            "secret": "mail-password",
        },
        "responder": {
            "kind": "webhook",
            "url": "http://responder.corral-system.svc:8080/alerts",
            "token-secret": "responder-token",
        },
        "silence": {"kind": "webhook", "url-secret": "silence-address"},
    },
    "default": "chat",
    "routes": [
        {"severity": ["critical"], "receiver": "responder", "continue": True},
        {"severity": ["critical"], "receiver": "on-call", "repeat-hours": 1},
        {"tenants": ["records"], "receiver": "records"},
    ],
    "heartbeat": "silence",
}

SECRETS = {
    name: f"value-of-{name}"
    for name in (
        *("oncall-pagerduty", "chat-slack", "mail-password", "responder-token"),
        *("silence-address", "archive-password"),
    )
}

STACK: dict[str, Any] = {
    "cluster": {"kind": "existing", "kubeconfig": "/etc/kubeconfig", "context": "metal"},
    "network": {
        "egress": {
            "dns": ["10.0.0.53"],
            "images": {
                "control": "registry.example.org/control:1",
                "resolver": "registry.example.org/resolver:1",
            },
        }
    },
    "pools": {
        "system": {"nodes": 3, "cpu": 8, "memory": "32Gi", "disk": "100Gi"},
        "sandboxed": {"tier": "gvisor", "nodes": 1, "cpu": 8, "memory": "32Gi", "disk": "100Gi"},
        "isolated": {"tier": "microvm", "nodes": 1, "cpu": 8, "memory": "32Gi", "disk": "100Gi"},
    },
    "classes": {"worker": {"tier": "gvisor"}, "sealed": {"tier": "microvm"}},
    "tenants": {
        "acme": {"tier": "gvisor", "agents": {"worker": 4}},
        "records": {"tier": "microvm", "agents": {"sealed": 2}},
    },
    "observability": {
        "prometheus": {
            "replicas": 2,
            "storage-class": "encrypted",
            "remote-write": {
                "archive": {
                    "url": "https://metrics.example.org:8443/write",
                    "username": "corral",
                    "secret": "archive-password",
                }
            },
        },
        "grafana": {"namespaces": ["ingress"]},
        "alerts": ALERTS,
    },
}


def settings(**changed: Any) -> Settings:
    """That stack; keys with `__` for dots say what is changed below `observability`."""
    value = deepcopy(STACK)
    for path, new in changed.items():
        *outer, last = path.split("__")
        here = value["observability"]
        for step in outer:
            here = here[step.replace("_", "-")]
        here[last.replace("_", "-")] = new
    return load_value(value, "test")


def place(**changed: Any) -> ObservabilityPlace:
    """Its place."""
    found = observability_place(settings(**changed))
    assert found is not None
    return found
