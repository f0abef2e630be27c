"""CPU near its limit: what is above is throttled."""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.rule import Alert, Group, Rule, Severity
from components.observability.rules.sandboxes_known import IN_TENANTS, OF_SANDBOX
from components.observability.rules.thresholds import OVER, by_value, hold, threshold


def cpu_rules(place: ObservabilityPlace) -> Group:
    """Use of each container's CPU limit, and its alert."""
    return Group(
        name="sandbox-cpu",
        rules=(
            Rule(
                record="sandbox:cpu_limit:cores",
                expr="max by (namespace, pod, container) (kube_pod_container_resource_limits"
                '{resource="cpu", ' + IN_TENANTS + "} > 0)",
            ),
            Rule(
                record="sandbox:cpu_usage:cores",
                expr="max by (namespace, pod, container) (rate(container_cpu_usage_seconds_total"
                '{metrics_path="/metrics/resource", ' + IN_TENANTS + ', container!=""}[2m]))\n'
                f"{OF_SANDBOX}",
            ),
            Rule(
                record="sandbox:cpu_usage:ratio",
                expr="sandbox:cpu_usage:cores\n"
                "/ on (namespace, pod, container) group_left () sandbox:cpu_limit:cores",
            ),
            *(
                Alert(
                    name="SandboxCPUHigh",
                    expr=f"sandbox:cpu_usage:ratio > {threshold('cpu_ratio', classes)}",
                    hold=hold(seconds),
                    labels={OVER: hold(seconds)},
                    severity=Severity.WARNING,
                    summary="{{ $labels.namespace }}/{{ $labels.pod }} uses all the CPU it may",
                    description="Container {{ $labels.container }} has used "
                    "{{ $value | humanizePercentage }} of its CPU limit. A build may; a loop that "
                    "never ends does too.",
                    action="See what runs (the runbook says how under each tier); if it is work, "
                    "give its class more CPU, else restart the sandbox.",
                )
                for seconds, classes in by_value(place, lambda t: t.cpu_for)
            ),
        ),
    )
