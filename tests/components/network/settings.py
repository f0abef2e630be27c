"""A stack on EKS, small enough to be read."""

from __future__ import annotations

from typing import Any

ON_EKS: dict[str, Any] = {
    "aws": {
        "account-id": "123456789012",
        "region": "eu-west-1",
        "network": {"kind": "new", "cidr": "10.40.0.0/16", "zones": ["a", "b"]},
    },
    "cluster": {"kind": "eks", "name": "agents", "version": "1.35"},
    "pools": {
        "system": {"machines": "virtual", "min-nodes": 2, "max-nodes": 2},
        "more": {"machines": "virtual", "min-nodes": 1, "max-nodes": 1},
        "way-out": {"purpose": "egress-gateway", "machines": "virtual"},
        "sandboxed": {"tier": "gvisor", "machines": "virtual", "max-nodes": 8},
    },
    "classes": {"worker": {"tier": "gvisor"}},
}
