"""Is the fleet well?"""

from __future__ import annotations

from components.observability.dashboards.panel import (
    CRITICAL,
    FLEET,
    WARNING,
    Dashboard,
    Panel,
    Query,
    Row,
    Shape,
    Unit,
)
from components.observability.dashboards.starts import start_panel, warm_pool_panel
from components.observability.dashboards.worst import worst_panels
from components.observability.place import ObservabilityPlace
from components.observability.slo.objectives import SLOW_BURN
from corral.settings.durations import duration_text
from corral.settings.thresholds import FASTEST_BURN

SANDBOXES = "count(sandbox:info) or vector(0)"
FIRING = 'count by (severity) (ALERTS{alertstate="firing", alertname!="Watchdog"})'
WAITING = "count(sandbox:pending:seconds) or vector(0)"
NOT_READY = (
    'count(max by (node) (kube_node_status_condition{condition="Ready", status="true"}) == 0)'
    " or vector(0)"
)
PARTS_DOWN = (
    "count(platform:deployment_available:count < platform:deployment_wanted:count) or vector(0)"
)
SILENT = "count(max by (job, metrics_path) (up) == 0) or vector(0)"
BY_STATE = "sum by (state) (max by (tenant, agent_class, state) (corral_tenant_sandboxes))"
QUEUES = "max by (tenant) (corral_tenant_queue_oldest_seconds)"
LENGTHS = "max by (tenant) (corral_tenant_queue_length)"


def fleet(place: ObservabilityPlace) -> Dashboard:
    """Numbers of the moment first, then supply, the worst, and what is promised."""
    return Dashboard(
        uid=FLEET,
        title="Fleet",
        question="Is the fleet well, and if not, which part of it?",
        rows=(
            Row(title="Now", panels=_now()),
            Row(title="Supply", panels=_supply(place)),
            Row(title="The worst at the moment", panels=worst_panels()),
            Row(title="Promises", panels=(_burn(place), _parts())),
        ),
    )


def _now() -> tuple[Panel, ...]:
    return (
        Panel(
            title="How many sandboxes?",
            about="Pods in tenants' namespaces that the API server knows, running or not.",
            shape=Shape.NUMBER,
            queries=(Query(expr=SANDBOXES, legend="sandboxes"),),
            beyond="Suspended sandboxes have no pod: the panel by state counts them.",
            width=4,
            height=5,
        ),
        Panel(
            title="Which alerts fire?",
            about="By severity: critical wakes people, warning is for today.",
            shape=Shape.NUMBER,
            queries=(Query(expr=FIRING, legend="{{severity}}"),),
            beyond="What Falco and the reader of gVisor detect goes to Alertmanager past "
            "Prometheus: dashboard Incidents counts it by rule.",
            thresholds=((WARNING, 1),),
            nothing="none",
            width=4,
            height=5,
        ),
        Panel(
            title="How many wait?",
            about="Sandboxes whose pod isn't running yet.",
            shape=Shape.NUMBER,
            queries=(Query(expr=WAITING, legend="pending"),),
            beyond="Why one waits stands in its pod's events, not here.",
            alerts=("SandboxPending",),
            width=4,
            height=5,
        ),
        Panel(
            title="Nodes not ready?",
            about="Nodes whose kubelet is silent or says so itself.",
            shape=Shape.NUMBER,
            queries=(Query(expr=NOT_READY, legend="nodes"),),
            thresholds=((WARNING, 1),),
            alerts=("NodeNotReady",),
            width=4,
            height=5,
        ),
        Panel(
            title="Parts without pods?",
            about="Deployments of the platform with fewer ready pods than they should have.",
            shape=Shape.NUMBER,
            queries=(Query(expr=PARTS_DOWN, legend="parts"),),
            thresholds=((WARNING, 1),),
            alerts=("PlatformPartDown", "PlatformPartDegraded"),
            width=4,
            height=5,
        ),
        Panel(
            title="Silent sources?",
            about="Sources none of whose targets answers: panels and alerts on them are blind.",
            shape=Shape.NUMBER,
            queries=(Query(expr=SILENT, legend="sources"),),
            beyond="A source that nobody finds any more isn't counted: alert MetricsSourceAbsent "
            "tells that.",
            thresholds=((CRITICAL, 1),),
            alerts=("MetricsSourceDown", "MetricsSourceAbsent"),
            width=4,
            height=5,
        ),
    )


def _supply(place: ObservabilityPlace) -> tuple[Panel, ...]:
    late = place.observability.thresholds.queue
    return (
        Panel(
            title="What do sandboxes do?",
            about="By what their agents say: busy, idle, at a safe point; pending and suspended "
            "by the API server.",
            shape=Shape.CURVES,
            queries=(Query(expr=BY_STATE, legend="{{state}}"),),
            beyond="An agent without the guard says nothing: its sandbox is `unknown`.",
            stacked=True,
            width=12,
        ),
        start_panel(width=12),
        warm_pool_panel(width=8),
        Panel(
            title="How long does work wait for a sandbox?",
            about=f"The oldest claim of each tenant that has no sandbox yet. An alert begins at "
            f"{duration_text(late)}.",
            shape=Shape.CURVES,
            queries=(Query(expr=QUEUES, legend="{{tenant}}"),),
            unit=Unit.SECONDS,
            beyond="Work in a queue of the tenant's own isn't seen before it is a claim.",
            thresholds=((WARNING, late),),
            alerts=("QueueTooOld",),
        ),
        Panel(
            title="How much work waits for a sandbox?",
            about="Claims of each tenant that have no sandbox yet.",
            shape=Shape.CURVES,
            queries=(Query(expr=LENGTHS, legend="{{tenant}}"),),
            alerts=("QueueTooOld",),
        ),
    )


def _burn(place: ObservabilityPlace) -> Panel:
    objectives = place.observability.objectives
    promised = {"sandbox_start": objectives.sandbox_start}
    if place.egress is not None:
        promised["gateway"] = objectives.gateway
        promised["warden_reaction"] = objectives.warden_reaction
    return Panel(
        title="How fast is what we promise used up?",
        about="Share that was bad in the last hour, by what the objective leaves: 1 uses up a "
        f"month's budget in a month, {FASTEST_BURN:g} in two days and wakes people.",
        shape=Shape.CURVES,
        queries=tuple(
            Query(expr=f"slo:{name}:bad_ratio_1h / {1 - share:.10g}", legend=name.replace("_", " "))
            for name, share in promised.items()
        ),
        beyond="Where nothing was started, or nothing taken away, there is no share of it.",
        thresholds=((WARNING, SLOW_BURN), (CRITICAL, FASTEST_BURN)),
        alerts=("SandboxStartsBurnsFast", "SandboxStartsBurnsSlowly"),
        width=12,
    )


def _parts() -> Panel:
    return Panel(
        title="Which parts of the platform have their pods?",
        about="Ready pods of each Deployment, by what it should have.",
        shape=Shape.BARS,
        queries=(
            Query(
                expr="platform:deployment_available:count / (platform:deployment_wanted:count > 0)",
                legend="{{namespace}}/{{deployment}}",
            ),
        ),
        unit=Unit.SHARE,
        beyond="DaemonSets and StatefulSets aren't among them: a source that is silent tells "
        "of those.",
        least=(WARNING, 1),
        alerts=("PlatformPartDown", "PlatformPartInOneZone"),
        most=1,
        width=12,
    )
