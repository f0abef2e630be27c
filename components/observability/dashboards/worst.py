"""The sandboxes that use most of what they may: panels that several dashboards have."""

from __future__ import annotations

from components.observability.dashboards.panel import Panel, Query, Shape, Unit
from corral.settings.tiers import Tier

SHOWN = 10


def worst(series: str) -> str:
    """The highest of that recorded ratio, one row for each sandbox."""
    return f"topk({SHOWN}, max by (tenant, pod, tier) ({series}))"


NO_DISK = (
    "its files are in the guest's encrypted memory or disk, and nothing of them is on the node"
)
_WHO = "{{tenant}}/{{pod}} ({{tier}})"


def worst_panels() -> tuple[Panel, ...]:
    """Memory, CPU, disk."""
    return (
        Panel(
            title="Who is nearest to its memory limit?",
            about="Working set of the fullest container by its limit; above the limit it is "
            "killed. By the CRI's figures: dashboards on cAdvisor's rows of containers show "
            "zeros under gVisor and Kata.",
            shape=Shape.BARS,
            queries=(Query(expr=worst("sandbox:memory_usage:ratio"), legend=_WHO),),
            unit=Unit.SHARE,
            alerts=("SandboxMemoryHigh",),
            most=1,
        ),
        Panel(
            title="Who uses all the CPU it may?",
            about="CPU of the busiest container by its limit, over two minutes.",
            shape=Shape.BARS,
            queries=(Query(expr=worst("sandbox:cpu_usage:ratio"), legend=_WHO),),
            unit=Unit.SHARE,
            alerts=("SandboxCPUHigh",),
            most=1,
        ),
        Panel(
            title="Whose disk is nearly full?",
            about="What a sandbox wrote on its node, its logs and emptyDir, by its limit.",
            shape=Shape.BARS,
            queries=(Query(expr=worst("sandbox:disk_usage:ratio"), legend=_WHO),),
            unit=Unit.SHARE,
            blind={Tier.CONFIDENTIAL: NO_DISK},
            beyond="Under Kata an emptyDir is the guest's and isn't in it: dashboard One sandbox "
            "has the guest's file systems.",
            alerts=("SandboxDiskHigh",),
            most=1,
        ),
    )
