"""Nodes: ready, under no pressure, proven to isolate; and reservations that are used.

That a node can't isolate (no /dev/kvm, a runtime that is missing or of another release) is told by
its taint: it is there from the node's first moment, and goes when every runtime was proven on it.
"""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.rule import Alert, Group, Rule, Severity
from components.observability.rules.thresholds import hold
from corral.settings.aws.pools import EksPool
from corral.settings.tiers import RUNTIMES, UNVERIFIED_TAINT

_LABELS = {
    "pool": "label_corral_dev_pool",
    "tier": "label_corral_dev_tier",
}


def node_rules(place: ObservabilityPlace) -> list[Group]:
    """Of all nodes; of reservations where the stack has some."""
    found = [Group(name="nodes", rules=(_known(), *_health(), *_unproven(place)))]
    if reserved := _reserved(place):
        found.append(Group(name="reservations", rules=_reservations(place, reserved)))
    return found


def _known() -> Rule:
    inner = "kube_node_labels"
    for label, source in _LABELS.items():
        inner = f'label_replace({inner}, "{label}", "$1", "{source}", "(.+)")'
    return Rule(record="node:pool:info", expr=f"max by (node, pool, tier) ({inner})")


def _health() -> tuple[Alert, ...]:
    pressures = "DiskPressure|MemoryPressure|PIDPressure"
    return (
        Alert(
            name="NodeNotReady",
            expr="max by (node)"
            ' (kube_node_status_condition{condition="Ready", status="true"}) == 0',
            hold="5m",
            severity=Severity.WARNING,
            summary="Node {{ $labels.node }} isn't ready",
            description="Its kubelet is silent or says so itself. Its sandboxes are lost or soon "
            "are.",
            action="See its events (kubectl describe node). Where it stays so, replace it.",
        ),
        Alert(
            name="NodeUnderPressure",
            expr="max by (node, condition)"
            f' (kube_node_status_condition{{condition=~"{pressures}", status="true"}}) == 1',
            hold="1m",
            severity=Severity.WARNING,
            summary="Node {{ $labels.node }} has {{ $labels.condition }}",
            description="Its kubelet takes no more pods, and evicts sandboxes.",
            action="See which sandbox takes what runs out (dashboards, kubectl top pod).",
        ),
    )


def _unproven(place: ObservabilityPlace) -> tuple[Alert, ...]:
    names = {name for pool in place.pools.values() for name in pool.served_runtimes}
    if not any(RUNTIMES[name].proves_itself for name in names):
        return ()
    return (
        Alert(
            name="NodeNotIsolating",
            expr=f'max by (node) (kube_node_spec_taint{{key="{UNVERIFIED_TAINT}"}})'
            " * on (node) group_left (pool, tier) node:pool:info",
            hold=hold(place.observability.thresholds.unverified),
            severity=Severity.CRITICAL,
            summary="Node {{ $labels.node }} can't show that it isolates",
            description="It is of pool {{ $labels.pool }}, and its runtime wasn't proven: no "
            "/dev/kvm, a runtime that is missing or of another release. No sandbox lands there.",
            action="Read the log of its verifier and its labels verified.corral.dev/…, then "
            "replace the node.",
        ),
    )


def _reserved(place: ObservabilityPlace) -> dict[str, EksPool]:
    return {
        name: pool
        for name, pool in place.pools.items()
        if isinstance(pool, EksPool) and pool.reserved_nodes
    }


def _reservations(
    place: ObservabilityPlace, reserved: dict[str, EksPool]
) -> tuple[Rule | Alert, ...]:
    found: list[Rule | Alert] = [
        *(
            Rule(
                record="pool:reserved_nodes:count",
                expr=f"vector({pool.reserved_nodes})",
                labels={"pool": name},
            )
            for name, pool in reserved.items()
        ),
        Rule(record="pool:nodes:count", expr="count by (pool) (node:pool:info)"),
        Alert(
            name="ReservationUnused",
            expr="pool:reserved_nodes:count unless pool:nodes:count >= pool:reserved_nodes:count",
            hold=hold(place.observability.thresholds.reservation_unused),
            severity=Severity.WARNING,
            summary="Pool {{ $labels.pool }} has fewer nodes than are paid for",
            description="{{ $value }} are reserved, and cost the same whether they run or not.",
            action="See why they don't start, or lower reserved-nodes.",
        ),
    ]
    if any(pool.nodes > pool.reserved_nodes for pool in reserved.values()):
        found.append(
            Alert(
                name="ReservationExceeded",
                expr="pool:nodes:count > pool:reserved_nodes:count",
                hold="1h",
                severity=Severity.INFO,
                summary="Pool {{ $labels.pool }} has more nodes than are reserved",
                description="It has {{ $value }}: those beyond its reservation may fail to start "
                "when they are needed most.",
                action="Raise reserved-nodes where that is so for days.",
            )
        )
    return tuple(found)
