"""What does it cost, and what of it is for nothing?"""

from __future__ import annotations

from components.observability.dashboards.panel import (
    COST,
    TENANT,
    Dashboard,
    Panel,
    Query,
    Row,
    Shape,
    Unit,
)
from components.observability.place import ObservabilityPlace

_CHOSEN = '{tenant=~"$tenant"}'
_EACH = "max by (namespace, pod, tenant, agent_class)"
_ESTIMATE = (
    "An estimate: a sandbox's share of a node's price by what its class requests. Neither "
    "discounts nor volumes nor traffic are in it, nor nodes that nobody uses."
)
OF_SANDBOXES = f"{_EACH} (corral_sandbox_cost_usd_per_hour{_CHOSEN})"
OF_IDLE = f"{OF_SANDBOXES} and on (namespace, pod) sandbox:idle:seconds > 0"

TOTAL = f"sum({OF_SANDBOXES})"
IDLE = f"sum({OF_IDLE}) or 0 * {TOTAL}"
IDLE_SHARE = f"({IDLE}) / ({TOTAL} > 0)"
BY_TENANT = f"max by (tenant) (corral_tenant_cost_usd_per_hour{_CHOSEN})"
IDLE_BY_TENANT = f"sum by (tenant) ({OF_IDLE})"
BY_CLASS = f"sum by (agent_class) ({OF_SANDBOXES})"
BY_TIER = f"sum by (tier) ({OF_SANDBOXES} * on (namespace, pod) group_left (tier) sandbox:info)"
SPENT_IDLE = (
    f"topk(20, max by (tenant, pod) (({OF_SANDBOXES})"
    " * on (namespace, pod) group_left () sandbox:idle:seconds / 3600) > 0)"
)
IDLE_HOURS = f"max by (tenant, pod) (sandbox:idle:seconds{_CHOSEN}) / 3600 > 0"


def cost(_: ObservabilityPlace) -> Dashboard:
    """What is paid an hour, then what is paid for nothing."""
    return Dashboard(
        uid=COST,
        title="Cost",
        question="What do sandboxes cost, for whom, and what of it is for doing nothing?",
        variables=(TENANT,),
        rows=(
            Row(title="An hour, now", panels=_now()),
            Row(title="For whom", panels=_whom()),
            Row(title="For nothing", panels=_idle()),
        ),
        hours=6,
    )


def _now() -> tuple[Panel, ...]:
    return tuple(
        Panel(
            title=title,
            about=about,
            shape=Shape.NUMBER,
            queries=(Query(expr=expr, legend=legend),),
            unit=unit,
            beyond=_ESTIMATE,
            alerts=alerts,
            nothing="no prices known",
            height=5,
        )
        for title, about, expr, legend, unit, alerts in (
            (
                "What do all sandboxes cost?",
                "Dollars an hour.",
                TOTAL,
                "$/h",
                Unit.DOLLARS,
                (),
            ),
            (
                "What do idle ones cost?",
                "Dollars an hour of those whose agent says that it has no work.",
                IDLE,
                "$/h idle",
                Unit.DOLLARS,
                ("SandboxIdle",),
            ),
            (
                "Which share is idle?",
                "Of what all cost.",
                IDLE_SHARE,
                "idle",
                Unit.SHARE,
                ("SandboxIdle",),
            ),
        )
    )


def _whom() -> tuple[Panel, ...]:
    return tuple(
        Panel(
            title=title,
            about="Dollars an hour.",
            shape=Shape.CURVES,
            queries=(Query(expr=expr, legend=legend),),
            unit=Unit.DOLLARS,
            beyond=_ESTIMATE,
            stacked=True,
        )
        for title, expr, legend in (
            ("What does each tenant cost?", BY_TENANT, "{{tenant}}"),
            ("What does each class cost?", BY_CLASS, "{{agent_class}}"),
            ("What does each tier cost?", BY_TIER, "{{tier}}"),
        )
    )


def _idle() -> tuple[Panel, ...]:
    return (
        Panel(
            title="Who pays for doing nothing?",
            about="Dollars an hour of idle sandboxes, by tenant.",
            shape=Shape.CURVES,
            queries=(Query(expr=IDLE_BY_TENANT, legend="{{tenant}}"),),
            unit=Unit.DOLLARS,
            beyond="Agents without the guard don't say that they are idle, and count as working.",
            alerts=("SandboxIdle",),
            stacked=True,
            nothing="nobody",
            width=12,
        ),
        Panel(
            title="Which idle sandboxes cost most?",
            about="What each has cost since it became idle: suspending it stops that.",
            shape=Shape.TABLE,
            queries=(
                Query(expr=SPENT_IDLE, legend="Dollars since idle"),
                Query(expr=IDLE_HOURS, legend="Hours idle"),
            ),
            columns=(("tenant", "Tenant"), ("pod", "Sandbox")),
            units=(("Dollars since idle", Unit.DOLLARS), ("Hours idle", Unit.HOURS)),
            beyond="Agents without the guard aren't among them.",
            alerts=("SandboxIdle",),
            nothing="none",
            width=12,
        ),
    )
