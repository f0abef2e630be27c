"""A sandbox's life: waiting for its start, doing nothing, too old, in quarantine."""

from __future__ import annotations

from components.observability.rules.rule import Alert, Group, Rule, Severity
from components.observability.rules.sandboxes_known import IN_TENANTS, OF_SANDBOX
from components.observability.rules.thresholds import threshold


def life_rules() -> Group:
    """Age, waiting, idleness and quarantine of each sandbox, and their alerts."""
    return Group(name="sandbox-life", rules=(*_recorded(), *_alerts()))


def _recorded() -> tuple[Rule, ...]:
    return (
        Rule(
            record="sandbox:age:seconds",
            expr="(time() - max by (namespace, pod) (kube_pod_created{" + IN_TENANTS + "}))\n"
            f"{OF_SANDBOX}",
        ),
        Rule(
            record="sandbox:pending:seconds",
            expr="sandbox:age:seconds and on (namespace, pod)\n"
            "  max by (namespace, pod) (kube_pod_status_phase"
            '{phase="Pending", ' + IN_TENANTS + "}) == 1",
        ),
        Rule(
            record="sandbox:idle:seconds",
            expr="max by (namespace, pod) (corral_sandbox_idle_seconds{" + IN_TENANTS + "})\n"
            f"{OF_SANDBOX}",
        ),
        Rule(
            record="sandbox:quarantined:info",
            expr="sandbox:info and on (namespace, pod)\n"
            '  kube_pod_labels{label_corral_dev_quarantine="true", ' + IN_TENANTS + "}\n"
            "or\n"
            "sandbox:info and on (namespace)\n"
            '  kube_namespace_labels{label_corral_dev_quarantine="true", ' + IN_TENANTS + "}",
        ),
    )


def _alerts() -> tuple[Alert, ...]:
    return (
        Alert(
            name="SandboxPending",
            expr=f"sandbox:pending:seconds > {threshold('pending_seconds')}",
            severity=Severity.WARNING,
            summary="{{ $labels.namespace }}/{{ $labels.pod }} doesn't start",
            description="It has waited {{ $value | humanizeDuration }}, longer than sandboxes of "
            "tier {{ $labels.tier }} and its class need.",
            action="Read its events (kubectl describe pod): no room, no verified node of its "
            "runtime, or an image that can't be pulled.",
        ),
        Alert(
            name="SandboxTooOld",
            expr=f"sandbox:age:seconds > {threshold('age_seconds')}",
            severity=Severity.WARNING,
            summary="{{ $labels.namespace }}/{{ $labels.pod }} is older than its class allows",
            description="It is {{ $value | humanizeDuration }} old and should have been replaced. "
            "Old sandboxes gather leaks, and what an attacker left.",
            action="See why it wasn't replaced: work that never comes to a safe point, or a "
            "warden that doesn't run.",
        ),
        Alert(
            name="SandboxIdle",
            expr=f"sandbox:idle:seconds > {threshold('idle_seconds')}",
            severity=Severity.INFO,
            summary="{{ $labels.namespace }}/{{ $labels.pod }} does nothing",
            description="It has been idle for {{ $value | humanizeDuration }}, and costs what a "
            "busy one does.",
            action="Suspend it, or ask its tenant why it isn't released.",
        ),
        Alert(
            name="SandboxQuarantined",
            expr="sandbox:quarantined:info",
            severity=Severity.WARNING,
            summary="{{ $labels.namespace }}/{{ $labels.pod }} is in quarantine",
            description="Somebody or the responder cut its network. Until somebody lifts that, its "
            "work stands still and what it holds is kept for whoever looks into it.",
            action="Look into why (docs/runbooks), then remove the label or the sandbox.",
        ),
    )
