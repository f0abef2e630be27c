"""Work that waits for sandboxes, and sandboxes kept ready for it."""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.rule import Alert, Group, Severity
from components.observability.rules.thresholds import hold


def supply_rules(place: ObservabilityPlace) -> Group:
    """Empty warm pools and old queues."""
    thresholds = place.observability.thresholds
    return Group(
        name="work-supply",
        rules=(
            Alert(
                name="WarmPoolEmpty",
                expr="max by (tenant, pool) (corral_warm_pool_ready) == 0\n"
                "and on (tenant, pool) max by (tenant, pool) (corral_warm_pool_desired) > 0",
                hold=hold(thresholds.warm_pool_empty),
                severity=Severity.WARNING,
                summary="Warm pool {{ $labels.pool }} of {{ $labels.tenant }} is empty",
                description="It should hold sandboxes ready and has none: every start is a cold "
                "one.",
                action="See whether its sandboxes are pending (SandboxPending) or taken faster "
                "than they are made.",
            ),
            Alert(
                name="QueueTooOld",
                expr=f"max by (tenant) (corral_tenant_queue_oldest_seconds) > {thresholds.queue}",
                severity=Severity.WARNING,
                summary="Work of {{ $labels.tenant }} waits too long",
                description="The oldest in its queue has waited {{ $value | humanizeDuration }}.",
                action="See whether its sandboxes are at their maximum, pending, or busy with "
                "nothing.",
            ),
        ),
    )
