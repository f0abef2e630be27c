"""Fork bombs: by the host's count where processes are the host's, by the guest's under Kata."""

from __future__ import annotations

from components.observability.rules.kata_guest import guest, of_guest
from components.observability.rules.rule import Alert, Group, Response, Rule, Severity
from components.observability.rules.sandboxes_known import IN_TENANTS, OF_SANDBOX
from components.observability.rules.thresholds import threshold
from corral.settings.tiers import Tier

_ON_HOST = f"{Tier.CONTAINER}|{Tier.GVISOR}"


def process_rules() -> Group:
    """Tasks of each sandbox, by whoever limits them, and their alert."""
    return Group(
        name="sandbox-processes",
        rules=(
            Rule(
                record="sandbox:tasks:count",
                expr="max by (namespace, pod) (container_threads"
                '{metrics_path="/metrics/cadvisor", container="", ' + IN_TENANTS + "})\n"
                f'{OF_SANDBOX}{{tier=~"{_ON_HOST}"}}\n'
                "or\n"
                + of_guest(guest("kata_guest_tasks", 'item="max"'))
                + f'{{tier="{Tier.MICROVM}"}}',
            ),
            Alert(
                name="SandboxForkBomb",
                expr=f"sandbox:tasks:count > {threshold('processes')}",
                hold="1m",
                severity=Severity.CRITICAL,
                response=Response.RESTART,
                tiers=frozenset({Tier.CONTAINER, Tier.GVISOR, Tier.MICROVM}),
                blind={
                    Tier.CONFIDENTIAL: "the host counts the VMM's threads and the guest refuses to "
                    "tell; its kernel's pid_max still stops it"
                },
                summary="{{ $labels.namespace }}/{{ $labels.pod }} starts processes without end",
                description="It has {{ $value }} threads, more than its share of what its pool "
                "allows. At the limit nothing in it can start a process any more; others aren't "
                "touched.",
                action="Restart it. If it does so again, look at what its agent runs.",
            ),
        ),
    )
