"""How sandboxes start: panels that several dashboards have."""

from __future__ import annotations

from components.observability.dashboards.panel import Panel, Query, Shape, Unit

_RECENT = (
    "(sandbox:start:seconds and on (namespace, pod) sandbox:age:seconds < 3600)"
    " * on (namespace, pod) group_left (tier) sandbox:info"
)


def started_within(share: float) -> str:
    """Seconds within which that share of the last hour's sandboxes were ready, by tier."""
    return f"quantile by (tier) ({share:g}, {_RECENT})"


WARM = "max by (tenant, pool) (corral_warm_pool_ready)"
WARM_WANTED = "max by (tenant, pool) (corral_warm_pool_desired)"


def start_panel(width: int) -> Panel:
    """p50 and p99 by tier."""
    return Panel(
        title="How long do sandboxes take to start?",
        about="From the pod's creation to its being ready, of those made within the last hour.",
        shape=Shape.CURVES,
        queries=tuple(
            Query(expr=started_within(share), legend=f"{{{{tier}}}} p{share * 100:g}")
            for share in (0.5, 0.99)
        ),
        unit=Unit.SECONDS,
        beyond="These are cold starts, and those of a warm pool's sandboxes before anybody takes "
        "them. How long it takes to hand a warm one over is measured by no source here, nor is "
        "how often there was one. A sandbox that isn't ready yet isn't in it: see who waits.",
        alerts=("SandboxStartsBurnsFast",),
        width=width,
    )


def warm_pool_panel(width: int) -> Panel:
    """What is ready, by what should be."""
    return Panel(
        title="Are there warm sandboxes to take?",
        about="Sandboxes ready in each warm pool, and dashed how many it should hold.",
        shape=Shape.CURVES,
        queries=(
            Query(expr=WARM, legend="{{tenant}} {{pool}}"),
            Query(expr=WARM_WANTED, legend="{{tenant}} {{pool}} wanted", limit=True),
        ),
        beyond="How often a claim found one ready isn't counted anywhere; an empty pool is what "
        "makes starts cold.",
        alerts=("WarmPoolEmpty",),
        width=width,
    )
