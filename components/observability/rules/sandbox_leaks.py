"""Memory that only grows. Not by the pod's cgroup: under Kata that counts the guest's page cache.

Evaluated once a minute: its windows are hours, and cost most of all rules.
"""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.rule import Alert, Group, Response, Rule, Severity
from components.observability.rules.thresholds import OVER, by_value, threshold

LEAST_OF_A_LEAK = 0.3
"""Share of the limit below which growth is a start, not a leak."""
LEAST_OF_AN_END = 0.5
"""Share of the limit below which its end can't be foretold."""

_SAME = "on (namespace, pod, container)"


def leak_rules(place: ObservabilityPlace) -> Group:
    """What memory never falls below, how that grows, when it meets the limit; and the alerts."""
    return Group(
        name="sandbox-leaks",
        interval="1m",
        rules=(
            Rule(
                record="sandbox:memory_floor:bytes_1h",
                expr="min_over_time(sandbox:memory_working_set:bytes[1h])",
            ),
            Rule(
                record="sandbox:memory_growth:ratio_1h",
                expr="sandbox:memory_floor:bytes_1h"
                " / (sandbox:memory_floor:bytes_1h offset 1h > 0) - 1",
            ),
            Rule(
                record="sandbox:memory_exhaustion:hours",
                expr="(1 - sandbox:memory_usage:ratio)"
                " / (deriv(sandbox:memory_usage:ratio[2h]) > 0) / 3600\n"
                "and sandbox:memory_usage:ratio offset 2h",
            ),
            *(_leak(hours, classes) for hours, classes in by_value(place, lambda t: t.leak_hours)),
            Alert(
                name="SandboxMemoryExhaustion",
                expr=f"sandbox:memory_exhaustion:hours < {threshold('exhaustion_hours')}\n"
                f"and {_SAME} sandbox:memory_usage:ratio > {LEAST_OF_AN_END}",
                hold="30m",
                severity=Severity.WARNING,
                response=Response.RESTART,
                summary="{{ $labels.namespace }}/{{ $labels.pod }} will run out of memory soon",
                description="If container {{ $labels.container }} goes on growing as it did for "
                'two hours, it meets its limit in {{ $value | printf "%.1f" }} hours and is '
                "killed.",
                action="Let it save its work and restart it, before the kernel does without "
                "asking.",
            ),
        ),
    )


def _leak(hours: int, classes: str) -> Alert:
    limit = threshold("leak_growth_ratio", classes)
    expr = f"sandbox:memory_growth:ratio_1h > {limit}"
    if hours > 1:
        expr = (
            f"min_over_time(sandbox:memory_growth:ratio_1h[{hours - 1}h]) > {limit}\n"
            f"and {_SAME} sandbox:memory_growth:ratio_1h offset {hours - 1}h"
        )
    return Alert(
        name="SandboxMemoryLeak",
        expr=f"{expr}\nand {_SAME} sandbox:memory_usage:ratio > {LEAST_OF_A_LEAK}",
        severity=Severity.WARNING,
        response=Response.RESTART,
        labels={OVER: f"{hours}h"},
        summary="{{ $labels.namespace }}/{{ $labels.pod }} leaks memory",
        description="What container {{ $labels.container }} never gives back grew by "
        f"{{{{ $value | humanizePercentage }}}} an hour or more, for {hours} hours running.",
        action="Let it save its work and restart it; keep a dump if the tenant wants to know why.",
    )
