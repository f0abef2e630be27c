"""Calico's tier for sandboxes: judged before anybody else's policies, and what it doesn't allow is
denied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from components.documents import Document, metadata
from components.network.policies.places import API

TIER = "sandbox"
TIER_ORDER = 200
"""After Calico's own tier (100), before those of cluster administrators (1000)."""

QUARANTINE_ORDER, ALLOWED_ORDER, REFUSED_ORDER = 0, 100, 900

RULE = "corral.dev/rule"
"""Annotation of each rule: its name, for people, flow logs and `corral network explain`."""

Mode = Literal["enforced", "staged"]


def tier_document() -> Document:
    """The tier."""
    return {
        "apiVersion": API,
        "kind": "Tier",
        "metadata": metadata(TIER),
        "spec": {"order": TIER_ORDER, "defaultAction": "Deny"},
    }


def policy(
    name: str,
    *,
    order: int,
    ingress: Sequence[Document] | None = None,
    egress: Sequence[Document] | None = None,
    namespace: str | None = None,
    mode: Mode = "enforced",
    **spec: Any,
) -> Document:
    """A policy of the tier: for the whole cluster, or in one namespace. A direction that is None
    isn't its business. Staged, it is judged and logged, and decides nothing."""
    scope = "NetworkPolicy" if namespace else "GlobalNetworkPolicy"
    directions = {"Ingress": ingress, "Egress": egress}
    return {
        "apiVersion": API,
        "kind": scope if mode == "enforced" else f"Staged{scope}",
        "metadata": metadata(f"{TIER}.{name}", namespace=namespace),
        "spec": {
            "tier": TIER,
            "order": order,
            "types": [each for each, rules in directions.items() if rules is not None],
            **({"ingress": list(ingress)} if ingress is not None else {}),
            **({"egress": list(egress)} if egress is not None else {}),
            **spec,
            **({"stagedAction": "Set"} if mode == "staged" else {}),
        },
    }


def rule(name: str, action: Literal["Allow", "Deny", "Log"], **fields: Any) -> Document:
    """One rule, with its name."""
    return {"action": action, "metadata": {"annotations": {RULE: name}}, **fields}


def logged_denial(name: str, **fields: Any) -> list[Document]:
    """A rule that denies, and says so in the node's log. `Log` goes on to the next rule."""
    return [rule(name, "Log", **fields), rule(name, "Deny", **fields)]
