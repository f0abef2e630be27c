"""Containers that end: killed for memory, or started again and again."""

from __future__ import annotations

from components.observability.rules.rule import Alert, Group, Rule, Severity
from components.observability.rules.sandboxes_known import IN_TENANTS, OF_SANDBOX
from components.observability.rules.thresholds import threshold

_EACH = "max by (namespace, pod, container)"


def end_rules() -> Group:
    """Restarts and OOM kills of each container, and their alerts."""
    return Group(
        name="sandbox-ends",
        rules=(
            Rule(
                record="sandbox:restarts:increase_10m",
                expr=_EACH + " (increase(kube_pod_container_status_restarts_total"
                "{" + IN_TENANTS + "}[10m]))",
            ),
            Rule(
                record="sandbox:restarts:increase_1h",
                expr=_EACH + " (increase(kube_pod_container_status_restarts_total"
                "{" + IN_TENANTS + f"}}[1h]))\n{OF_SANDBOX}",
            ),
            Rule(
                record="sandbox:oom_kills:recent",
                expr="(\n  " + _EACH + " (kube_pod_container_status_last_terminated_reason"
                '{reason="OOMKilled", ' + IN_TENANTS + "})\n"
                "    and on (namespace, pod, container) sandbox:restarts:increase_10m > 0\n"
                "  or\n  " + _EACH + " (kube_pod_container_status_terminated_reason"
                '{reason="OOMKilled", ' + IN_TENANTS + "})\n"
                "  or\n  " + _EACH + " (increase(container_oom_events_total"
                '{metrics_path="/metrics/cadvisor", container!="", '
                + IN_TENANTS
                + f"}}[10m])) > 0\n)\n{OF_SANDBOX}",
            ),
            Alert(
                name="SandboxOOMKilled",
                expr="sandbox:oom_kills:recent",
                severity=Severity.WARNING,
                summary="The kernel killed {{ $labels.namespace }}/{{ $labels.pod }} for memory",
                description="Container {{ $labels.container }} went above its memory limit in the "
                "last ten minutes, or a process in it did. What it was doing is lost.",
                action="Look at its memory before (the dashboard of one sandbox): a leak, or a "
                "limit that is too small for its work.",
            ),
            Alert(
                name="SandboxRestarting",
                expr=f"sandbox:restarts:increase_1h > {threshold('restarts_per_hour')}",
                severity=Severity.WARNING,
                summary="{{ $labels.namespace }}/{{ $labels.pod }} starts again and again",
                description="Container {{ $labels.container }} was restarted about "
                '{{ $value | printf "%.0f" }} times in the last hour.',
                action="Read the logs of its last end (kubectl logs --previous) and its exit code.",
            ),
        ),
    )
