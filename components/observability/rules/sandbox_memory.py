"""Memory near its limit: of containers under every tier, and of whole guests."""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.kata_guest import guest, of_guest
from components.observability.rules.rule import Alert, Group, Rule, Severity
from components.observability.rules.sandboxes_known import IN_TENANTS, OF_SANDBOX
from components.observability.rules.thresholds import OVER, by_value, hold, threshold
from corral.settings.tiers import Tier

_GUEST = guest("kata_guest_meminfo", 'item="mem_available"')
_TOTAL = guest("kata_guest_meminfo", 'item="mem_total"')


def memory_rules(place: ObservabilityPlace) -> Group:
    """Working set and limit of each container, guests' memory, and their alerts."""
    return Group(
        name="sandbox-memory",
        rules=(
            Rule(
                record="sandbox:memory_working_set:bytes",
                expr="max by (namespace, pod, container) (container_memory_working_set_bytes"
                '{metrics_path="/metrics/resource", ' + IN_TENANTS + ', container!=""})\n'
                f"{OF_SANDBOX}",
            ),
            Rule(
                record="sandbox:memory_limit:bytes",
                expr="max by (namespace, pod, container) (kube_pod_container_resource_limits"
                '{resource="memory", ' + IN_TENANTS + "} > 0)",
            ),
            Rule(
                record="sandbox:memory_usage:ratio",
                expr="sandbox:memory_working_set:bytes\n"
                "/ on (namespace, pod, container) group_left () sandbox:memory_limit:bytes",
            ),
            Rule(
                record="sandbox:guest_memory_usage:ratio",
                expr=of_guest(f"1 - {_GUEST} / ignoring (item) ({_TOTAL} > 0)"),
            ),
            *(
                Alert(
                    name="SandboxMemoryHigh",
                    expr=f"sandbox:memory_usage:ratio > {threshold('memory_ratio', classes)}",
                    hold=hold(seconds),
                    labels={OVER: hold(seconds)},
                    severity=Severity.WARNING,
                    summary="{{ $labels.namespace }}/{{ $labels.pod }} is near its memory limit",
                    description="Container {{ $labels.container }} uses "
                    "{{ $value | humanizePercentage }} of its limit without what the kernel could "
                    "give back. Above the limit it is killed.",
                    action="See whether it grows (alert SandboxMemoryLeak, the dashboard of one "
                    "sandbox); ask the tenant, or give its class more memory.",
                )
                for seconds, classes in by_value(place, lambda t: t.memory_for)
            ),
            *(
                Alert(
                    name="SandboxGuestMemoryHigh",
                    expr=f"sandbox:guest_memory_usage:ratio > {threshold('memory_ratio', classes)}",
                    hold=hold(seconds),
                    labels={OVER: hold(seconds)},
                    severity=Severity.WARNING,
                    tiers=frozenset({Tier.MICROVM}),
                    blind={
                        Tier.CONTAINER: "no guest: SandboxMemoryHigh says it",
                        Tier.GVISOR: "no guest of its own: SandboxMemoryHigh says it",
                        Tier.CONFIDENTIAL: "the guest refuses to tell: SandboxMemoryHigh is all",
                    },
                    summary="The guest of {{ $labels.namespace }}/{{ $labels.pod }} runs out of "
                    "memory",
                    description="{{ $value | humanizePercentage }} of the virtual machine's memory "
                    "is in use, with what its containers don't answer for (the guest's kernel, "
                    "file systems in memory). Its kernel kills processes when it ends.",
                    action="Look for files in memory (/dev/shm, emptyDir) and for a leak; restart "
                    "the sandbox, or give its class more memory.",
                )
                for seconds, classes in by_value(place, lambda t: t.memory_for)
            ),
        ),
    )
