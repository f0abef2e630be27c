"""Who uses what, and who waits?"""

from __future__ import annotations

from components.observability.dashboards.panel import (
    TENANT,
    TENANTS,
    WARNING,
    Dashboard,
    Panel,
    Query,
    Row,
    Shape,
    Unit,
)
from components.observability.dashboards.starts import warm_pool_panel
from components.observability.dashboards.worst import NO_DISK
from components.observability.place import ObservabilityPlace
from corral.settings.tiers import Tier

_CHOSEN = '{tenant=~"$tenant"}'


def of_tenants(metric: str, *kept: str) -> str:
    """A figure of our exporter's, one row for each chosen tenant."""
    return f"max by ({', '.join(('tenant', *kept))}) ({metric}{_CHOSEN})"


def together(series: str) -> str:
    """A recorded series of sandboxes, added up by chosen tenant."""
    return f"sum by (tenant) ({series}{_CHOSEN})"


SANDBOXES = f"count by (tenant) (sandbox:info{_CHOSEN})"
BY_STATE = (
    f"sum by (tenant, state) ({of_tenants('corral_tenant_sandboxes', 'agent_class', 'state')})"
)
BY_CLASS = f"count by (tenant, agent_class) (sandbox:info{_CHOSEN})"
ALERTS_OF = 'count by (tenant) (ALERTS{alertstate="firing", tenant=~"$tenant"})'
QUARANTINED = f"count by (tenant) (sandbox:quarantined:info{_CHOSEN})"
CPU = together("sandbox:cpu_usage:cores")
MEMORY = together("sandbox:memory_working_set:bytes")
DISK = together("sandbox:disk_used:bytes")
WAITS = of_tenants("corral_tenant_queue_oldest_seconds")
LENGTHS = of_tenants("corral_tenant_queue_length")
COST = of_tenants("corral_tenant_cost_usd_per_hour")


def tenants(place: ObservabilityPlace) -> Dashboard:
    """One row for each, then who uses what, and who waits."""
    late = place.observability.thresholds.queue
    return Dashboard(
        uid=TENANTS,
        title="Tenants",
        question="Which tenant uses what, who waits, and who has trouble?",
        variables=(TENANT,),
        rows=(
            Row(title="Each tenant", panels=(_table(),)),
            Row(title="What they do", panels=_work()),
            Row(title="What they use", panels=_use()),
            Row(
                title="What they wait for",
                panels=(
                    Panel(
                        title="How long does the oldest work wait?",
                        about="The oldest claim without a sandbox.",
                        shape=Shape.CURVES,
                        queries=(Query(expr=WAITS, legend="{{tenant}}"),),
                        unit=Unit.SECONDS,
                        beyond="Work in a queue of the tenant's own isn't seen before it is a "
                        "claim.",
                        thresholds=((WARNING, late),),
                        alerts=("QueueTooOld",),
                    ),
                    Panel(
                        title="How much waits?",
                        about="Claims without a sandbox.",
                        shape=Shape.CURVES,
                        queries=(Query(expr=LENGTHS, legend="{{tenant}}"),),
                        alerts=("QueueTooOld",),
                    ),
                    warm_pool_panel(width=8),
                ),
            ),
        ),
    )


def _table() -> Panel:
    return Panel(
        title="How is each tenant?",
        about="Sandboxes, what they cost an hour, what waits, what is wrong.",
        shape=Shape.TABLE,
        queries=(
            Query(expr=SANDBOXES, legend="Sandboxes"),
            Query(expr=COST, legend="Dollars an hour"),
            Query(expr=LENGTHS, legend="Waiting"),
            Query(expr=WAITS, legend="Oldest waits"),
            Query(expr=ALERTS_OF, legend="Alerts firing"),
            Query(expr=QUARANTINED, legend="Quarantined"),
        ),
        columns=(("tenant", "Tenant"),),
        units=(("Dollars an hour", Unit.DOLLARS), ("Oldest waits", Unit.SECONDS)),
        beyond="Costs are estimates by what classes request; a tenant that never had a sandbox or "
        "claim has a row without most figures.",
        alerts=("QueueTooOld", "SandboxQuarantined"),
        nothing="no tenants",
        width=24,
    )


def _work() -> tuple[Panel, ...]:
    return (
        Panel(
            title="What do their sandboxes do?",
            about="By what agents say: busy, idle, safe, unknown; pending, suspended.",
            shape=Shape.CURVES,
            queries=(Query(expr=BY_STATE, legend="{{tenant}} {{state}}"),),
            beyond="Agents without the guard are `unknown`.",
            stacked=True,
            width=12,
        ),
        Panel(
            title="Of which classes are they?",
            about="Sandboxes by tenant and agent class.",
            shape=Shape.CURVES,
            queries=(Query(expr=BY_CLASS, legend="{{tenant}} {{agent_class}}"),),
            beyond="A pod without a class has an empty one; SandboxClassUnknown tells of it.",
            alerts=("SandboxClassUnknown",),
            stacked=True,
            width=12,
        ),
    )


def _use() -> tuple[Panel, ...]:
    return (
        Panel(
            title="How much CPU do they use?",
            about="Cores of all containers together.",
            shape=Shape.CURVES,
            queries=(Query(expr=CPU, legend="{{tenant}}"),),
            beyond="What the runtime itself needs (sentry, VMM) is on top: sandboxes' overhead.",
            stacked=True,
        ),
        Panel(
            title="How much memory do they use?",
            about="Working sets of all containers together, by the CRI's figures.",
            shape=Shape.CURVES,
            queries=(Query(expr=MEMORY, legend="{{tenant}}"),),
            unit=Unit.BYTES,
            beyond="A microVM holds its whole memory from its node, whatever is used in it: nodes "
            "are planned by requests (dashboard Tiers and nodes).",
            stacked=True,
        ),
        Panel(
            title="How much do they have on nodes' disks?",
            about="Ephemeral storage of all sandboxes together.",
            shape=Shape.CURVES,
            queries=(Query(expr=DISK, legend="{{tenant}}"),),
            unit=Unit.BYTES,
            blind={Tier.CONFIDENTIAL: NO_DISK},
            beyond="Volumes aren't in it.",
            alerts=("SandboxDiskHigh",),
            stacked=True,
        ),
    )
