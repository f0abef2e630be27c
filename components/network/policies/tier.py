"""Calico's tier for sandboxes: judged before anybody else's policies, and what it doesn't allow is
denied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from components.documents import Document, metadata
from components.network.policies.places import API

TIER = "sandbox"
TIER_ORDER = 200
"""After Calico's own tier (100), whose policies are for Calico's own pods; before those of cluster
administrators (1000)."""

QUARANTINE_ORDER, ALLOWED_ORDER, REFUSED_ORDER, LAST_ORDER = 0, 100, 900, 1000

RULE = "corral.dev/rule"
"""Annotation of each rule: its name, for people, flow logs and `corral network explain`."""

MOST_RULES, MOST_NETS, MOST_PORTS, LONGEST_SELECTOR = 1024, 256, 50, 1024
"""Calico 3.33: rules in a direction of one policy; networks and ports in one rule; characters."""


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
    **spec: Any,
) -> Document:
    """A policy of the tier: for the whole cluster, or in one namespace. A direction that is None
    isn't its business."""
    directions = {"Ingress": ingress, "Egress": egress}
    return {
        "apiVersion": API,
        "kind": "NetworkPolicy" if namespace else "GlobalNetworkPolicy",
        "metadata": metadata(f"{TIER}.{name}", namespace=namespace),
        "spec": {
            "tier": TIER,
            "order": order,
            "types": [each for each, rules in directions.items() if rules is not None],
            **({"ingress": list(ingress)} if ingress is not None else {}),
            **({"egress": list(egress)} if egress is not None else {}),
            **spec,
        },
    }


def staged(document: Document) -> Document:
    """The same policy on trial, beside the one of its name that is enforced: it is judged, flow
    logs say what it would do, and it decides nothing."""
    return {
        **document,
        "kind": f"Staged{document['kind']}",
        "spec": {**document["spec"], "stagedAction": "Set"},
    }


def rule(name: str, action: Literal["Allow", "Deny", "Log"], **fields: Any) -> Document:
    """One rule, with its name. ValueError for an empty list of networks or ports: to Calico that is
    any of them, and never what was meant."""
    for side in ("source", "destination"):
        for key, value in fields.get(side, {}).items():
            if not value:
                raise ValueError(f"rule {name}: {side}.{key} is empty, which would mean any")
    return {"action": action, "metadata": {"annotations": {RULE: name}}, **fields}


def logged_denial(name: str, **fields: Any) -> list[Document]:
    """A rule that denies, and says so in the node's log. `Log` goes on to the next rule."""
    return [rule(name, "Log", **fields), rule(name, "Deny", **fields)]
