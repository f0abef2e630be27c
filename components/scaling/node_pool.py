"""Which nodes Karpenter may start for a pool, how many, and when it may end them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from components.aws.nodes.node import labels_at_first, startup_taints
from components.documents import Document, metadata
from components.isolation.node_labels import ARCHITECTURE_LABEL, node_taints
from components.scaling.node_class import GROUP, takes_reservations
from corral.settings.aws.pools import EksPool
from corral.settings.classes import AgentClass
from corral.settings.tiers import PROOF_LABEL_PREFIX

EMPTY_MINUTES = 10
"""For so long a node stays empty before it goes: the next sandbox is often not far."""

REPLACED_AT_ONCE = "25%"
"""Of a pool's nodes, those that are drained at the same time because what they are made of is out
of date. Each goes on until its last sandbox has ended."""

PLATFORM_HOURS = 1
"""How long pods of the platform itself hold up the end of their node, where no sandbox does."""

BURST_TAINT = {"key": "corral.dev/burst", "value": "true", "effect": "PreferNoSchedule"}
"""What is paid for in any case fills first, and nodes beyond it become empty, and end. Nothing is
kept off: Karpenter too gives up a preference before it leaves a pod waiting."""

WEIGHTS = {"reserved": 30, "spot": 20, "on-demand": 10}
"""Of pools that could serve the same pod, the one that is paid for already goes first."""


def node_pool_document(name: str, pool: EksPool, *, hours: int, zones: Iterable[str]) -> Document:
    """The NodePool of the pool called `name`: what it may have beyond its base. `hours` is how long
    its sandboxes may hold up the end of their node; `zones` are its zones with their region."""
    spec: dict[str, Any] = {
        "nodeClassRef": {"group": GROUP, "kind": "EC2NodeClass", "name": name},
        "requirements": _requirements(pool, zones),
        "taints": [*node_taints(pool), BURST_TAINT],
        # Replaced when what it is made of changes, not for its age.
        "expireAfter": "Never",
        "terminationGracePeriod": f"{hours}h",
    }
    if startup := startup_taints(pool):
        spec["startupTaints"] = startup
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": metadata(name),
        "spec": {
            "weight": WEIGHTS[_bought(pool)[0]],
            "limits": {"nodes": str(pool.burst_nodes)},
            "disruption": _disruption(pool),
            "template": {"metadata": {"labels": _labels(name, pool)}, "spec": spec},
        },
    }


def drain_hours(pool: EksPool, classes: Iterable[AgentClass]) -> int:
    """The greatest age of a sandbox that the pool's nodes run."""
    ages = [agent.max_age for agent in classes if agent.runtime_name in pool.served_runtimes]
    return max(ages, default=PLATFORM_HOURS)


def _labels(name: str, pool: EksPool) -> dict[str, str]:
    """Labels by which Karpenter knows which pods would fit. Those that tell of proofs are the
    node's own to say: written twice, Karpenter might undo one."""
    return {
        key: value
        for key, value in labels_at_first(name, pool).items()
        if key != ARCHITECTURE_LABEL and not key.startswith(PROOF_LABEL_PREFIX)
    }


def _requirements(pool: EksPool, zones: Iterable[str]) -> list[dict[str, Any]]:
    return [
        _among("node.kubernetes.io/instance-type", [kind.name for kind in pool.instance_types]),
        _among("kubernetes.io/os", ["linux"]),
        _among(ARCHITECTURE_LABEL, [pool.architecture]),
        _among("karpenter.sh/capacity-type", _bought(pool)),
        _among("topology.kubernetes.io/zone", sorted(zones)),
    ]


def _bought(pool: EksPool) -> list[str]:
    """How nodes beyond the base are bought, what is best first."""
    if pool.capacity == "spot":
        return ["spot"]
    return ["reserved", "on-demand"] if takes_reservations(pool) else ["on-demand"]


def _among(key: str, values: list[str]) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": values}


def _disruption(pool: EksPool) -> dict[str, Any]:
    """Sandboxes are never moved to save money: where they run, only what is empty goes."""
    moved = pool.tier is None
    budgets = [
        {"nodes": "100%", "reasons": ["Empty"]},
        {"nodes": REPLACED_AT_ONCE, "reasons": ["Drifted"]},
    ]
    if moved:
        budgets.append({"nodes": "1", "reasons": ["Underutilized"]})
    return {
        "consolidationPolicy": "WhenEmptyOrUnderutilized" if moved else "WhenEmpty",
        "consolidateAfter": f"{EMPTY_MINUTES}m",
        "budgets": budgets,
    }
