"""Is there room on nodes that isolate?"""

from __future__ import annotations

from components.observability.dashboards.panel import (
    CRITICAL,
    TIERS,
    WARNING,
    Dashboard,
    Panel,
    Query,
    Row,
    Shape,
    Unit,
)
from components.observability.dashboards.starts import start_panel
from components.observability.place import ObservabilityPlace
from corral.settings.aws.pools import EksPool
from corral.settings.tiers import UNVERIFIED_TAINT, Tier

_LIVE = (
    " * on (namespace, pod) group_left ()"
    ' (max by (namespace, pod) (kube_pod_status_phase{phase=~"Pending|Running"}) == 1)'
)
_NODE_OF = (
    " * on (namespace, pod) group_left (node)"
    ' max by (namespace, pod, node) (kube_pod_info{node!=""})'
)
_OVERHEAD = {"cpu": "kube_pod_overhead_cpu_cores", "memory": "kube_pod_overhead_memory_bytes"}


def requested(resource: str) -> str:
    """What the pods of each node request, with their runtimes' overhead; ended ones don't."""
    containers = (
        "sum by (namespace, pod, node) (max by (namespace, pod, container, node)"
        f' (kube_pod_container_resource_requests{{resource="{resource}", node!=""}}))'
    )
    overhead = f"max by (namespace, pod) ({_OVERHEAD[resource]}){_NODE_OF}"
    return (
        f"(sum by (node) ({containers}{_LIVE})"
        f" + (sum by (node) ({overhead}{_LIVE})"
        f" or 0 * max by (node) (kube_node_info)))"
    )


def allocatable(resource: str) -> str:
    """What each node has for pods."""
    return f'max by (node) (kube_node_status_allocatable{{resource="{resource}"}})'


def free(resource: str) -> str:
    """Share of each pool's nodes that nothing requests."""
    pool = " * on (node) group_left (pool) node:pool:info"
    asked = f"({requested(resource)} or 0 * max by (node) (kube_node_info))"
    return f"1 - sum by (pool) ({asked}{pool})\n/ sum by (pool) ({allocatable(resource)}{pool})"


NODES = "count by (pool) (node:pool:info)"
NODES_OF_TIER = 'count by (tier) (node:pool:info{tier!=""})'
NOT_READY = (
    "sum by (pool) ((1 - max by (node)"
    ' (kube_node_status_condition{condition="Ready", status="true"}))'
    " * on (node) group_left (pool) node:pool:info)"
)
UNPROVEN = f'count(max by (node) (kube_node_spec_taint{{key="{UNVERIFIED_TAINT}"}})) or vector(0)'
SANDBOXES = "count by (tier) (sandbox:info)"
WAITING = "max by (tier) (sandbox:pending:seconds)"
SHIMS = "sum(max by (instance) (kata_monitor_running_shim_count))"
MICROVMS = f'count(sandbox:info{{tier="{Tier.MICROVM}"}})'
FREE_ON_NODE = {
    resource: f"({allocatable(resource)} - ({requested(resource)}"
    " or 0 * max by (node) (kube_node_info)))"
    " * on (node) group_left (pool, tier) node:pool:info"
    for resource in _OVERHEAD
}
PODS_ON_NODE = (
    "count by (node) (max by (namespace, pod, node) (sandbox:info"
    " * on (namespace, pod) group_left (node) max by (namespace, pod, node)"
    ' (kube_pod_info{node!=""})))'
    " * on (node) group_left (pool, tier) node:pool:info"
)


def tiers(place: ObservabilityPlace) -> Dashboard:
    """Nodes, what they prove, and what they have left."""
    return Dashboard(
        uid=TIERS,
        title="Tiers and nodes",
        question="Is there room for more sandboxes, on nodes that isolate as their tier promises?",
        rows=(
            Row(title="Nodes", panels=_nodes(place)),
            Row(title="Headroom", panels=(*(_free(r) for r in _OVERHEAD), _table())),
            Row(title="Tiers", panels=_tiers(place)),
        ),
    )


def _nodes(place: ObservabilityPlace) -> tuple[Panel, ...]:
    found = [
        Panel(
            title="How many nodes has each pool?",
            about="Nodes that the API server knows, by the pool that their label says.",
            shape=Shape.CURVES,
            queries=(Query(expr=NODES, legend="{{pool}}"),),
            width=12,
        ),
        Panel(
            title="Unproven nodes?",
            about="Nodes whose runtime wasn't proven yet: no /dev/kvm, a runtime that is missing "
            "or of another release. No sandbox lands there.",
            shape=Shape.NUMBER,
            queries=(Query(expr=UNPROVEN, legend="nodes"),),
            beyond="A new node is among them until its verifier has run.",
            thresholds=((CRITICAL, 1),),
            alerts=("NodeNotIsolating",),
            width=6,
        ),
        Panel(
            title="How many nodes aren't ready?",
            about="By pool.",
            shape=Shape.NUMBER,
            queries=(Query(expr=NOT_READY, legend="{{pool}}"),),
            thresholds=((WARNING, 1),),
            alerts=("NodeNotReady", "NodeUnderPressure"),
            width=6,
        ),
    ]
    if any(isinstance(p, EksPool) and p.reserved_nodes for p in place.pools.values()):
        found.append(
            Panel(
                title="Are reservations used?",
                about="Nodes of pools with reserved ones, and dashed how many are paid for.",
                shape=Shape.CURVES,
                queries=(
                    Query(
                        expr="pool:nodes:count and on (pool) pool:reserved_nodes:count",
                        legend="{{pool}}",
                    ),
                    Query(expr="pool:reserved_nodes:count", legend="{{pool}} reserved", limit=True),
                ),
                alerts=("ReservationUnused",),
                width=24,
                height=6,
            )
        )
    return tuple(found)


def _free(resource: str) -> Panel:
    return Panel(
        title=f"How much {'CPU' if resource == 'cpu' else resource} has each pool left?",
        about="Share of what its nodes offer that no pod requests, with the overhead that "
        "runtimes are given.",
        shape=Shape.CURVES,
        queries=(Query(expr=free(resource), legend="{{pool}}"),),
        unit=Unit.SHARE,
        beyond="Room on a pool isn't room on one node: a large sandbox may fit nowhere. What a "
        "pool may still grow by isn't in it.",
        alerts=("SandboxPending",),
        most=1,
        width=12,
    )


def _table() -> Panel:
    return Panel(
        title="What has each node left?",
        about="What it offers less what its pods request.",
        shape=Shape.TABLE,
        queries=(
            Query(expr=PODS_ON_NODE, legend="Sandboxes"),
            Query(expr=FREE_ON_NODE["cpu"], legend="Cores free"),
            Query(expr=FREE_ON_NODE["memory"], legend="Memory free"),
        ),
        columns=(("node", "Node"), ("pool", "Pool"), ("tier", "Tier")),
        units=(("Memory free", Unit.BYTES),),
        beyond="A node without sandboxes has none in its row. Requests, not use: a microVM holds "
        "what it was given.",
        width=24,
    )


def _tiers(place: ObservabilityPlace) -> tuple[Panel, ...]:
    found = [
        Panel(
            title="How many sandboxes has each tier?",
            about="By RuntimeClass; a pod without one is of tier container.",
            shape=Shape.CURVES,
            queries=(Query(expr=SANDBOXES, legend="{{tier}}"),),
            stacked=True,
        ),
        Panel(
            title="Where do sandboxes wait longest for their start?",
            about="The oldest that is pending, by tier.",
            shape=Shape.CURVES,
            queries=(Query(expr=WAITING, legend="{{tier}}"),),
            unit=Unit.SECONDS,
            beyond="Where alerts begin is by class and tier: 2 to 10 minutes by default.",
            alerts=("SandboxPending",),
            nothing="nobody waits",
        ),
        start_panel(width=8),
    ]
    if Tier.MICROVM in place.tiers:
        found.append(
            Panel(
                title="Do nodes run as many guests as there are microVMs?",
                about="Sandboxes of tier microvm by the API server, and guests by kata-monitor. "
                "Fewer guests: some don't answer, and their figures are missing. More: guests "
                "of sandboxes that are gone.",
                shape=Shape.CURVES,
                queries=(
                    Query(expr=MICROVMS, legend="sandboxes"),
                    Query(expr=SHIMS, legend="guests"),
                ),
                blind={
                    Tier.CONTAINER: "it has no guests",
                    Tier.GVISOR: "it has no guests",
                    Tier.CONFIDENTIAL: "its guests tell nobody",
                },
                width=24,
            )
        )
    return tuple(found)
