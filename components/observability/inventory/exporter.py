"""What our own exporter says, because nobody else does (warden/warden/exporter)."""

from __future__ import annotations

from components.observability.inventory.metric import Kind, Metric, Provenance, Source

EXPORTER = Source(name="corral-exporter", job="corral-exporter")

SOURCES = (EXPORTER,)

_SANDBOX = ("namespace", "pod", "tenant", "agent_class")


def _metric(
    name: str,
    *labels: str,
    kind: Kind = Kind.GAUGE,
    unit: str = "",
    note: str = "",
    recorded: bool = True,
) -> Metric:
    return Metric(
        name=name,
        source=EXPORTER,
        kind=kind,
        labels=labels,
        unit=unit,
        provenance=Provenance.RECORDED if recorded else Provenance.DERIVED,
        reference="tests/observability/recorded/exporter.txt"
        if recorded
        else "warden/warden/exporter/figures.py",
        note=note,
    )


METRICS = (
    _metric(
        "corral_sandbox_idle_seconds",
        *_SANDBOX,
        unit="s",
        note="by its agent's own word, 0 while it works; none where no agent answered for three "
        "minutes",
    ),
    _metric("corral_sandbox_age_seconds", *_SANDBOX, unit="s"),
    _metric("corral_sandbox_age_limit_seconds", *_SANDBOX, unit="s"),
    _metric(
        "corral_sandbox_cost_usd_per_hour",
        *_SANDBOX,
        unit="USD/h",
        note="an estimate: the larger of its shares of a node's CPU and memory, at the price on "
        "demand of the dearest that may run it; 0 before a node has it, none without a price",
        recorded=False,
    ),
    _metric(
        "corral_sandbox_leak_suspect",
        *_SANDBOX,
        note="1 if a process rose in each quarter of its class's leak-hours, by more than its "
        "leak-per-hour; none where no agent answers",
    ),
    _metric("corral_sandbox_quarantined", *_SANDBOX),
    _metric(
        "corral_sandbox_growth_bytes_per_hour",
        *_SANDBOX,
        unit="B/h",
        note="of agents that the guard watches; the others have none",
        recorded=False,
    ),
    _metric(
        "corral_tenant_sandboxes",
        "tenant",
        "agent_class",
        "state",
        note="state: busy, idle, safe, unknown, pending or suspended",
    ),
    _metric(
        "corral_tenant_cost_usd_per_hour",
        "tenant",
        unit="USD/h",
        note="none where no class has a price",
        recorded=False,
    ),
    _metric("corral_tenant_queue_oldest_seconds", "tenant", unit="s"),
    _metric(
        "corral_tenant_queue_length", "tenant", note="claims of agent-sandbox without a sandbox"
    ),
    _metric(
        "corral_tenant_allowlist_entries",
        "tenant",
        note="what its gateway lets through now: hosts with ports, and rules of inspected ones",
    ),
    _metric(
        "corral_responses_total",
        "tenant",
        "level",
        kind=Kind.COUNTER,
        note="of Events in corral-system with the label corral.dev/response-level, by whoever "
        "responds",
    ),
    _metric("corral_warm_pool_ready", "tenant", "pool"),
    _metric("corral_warm_pool_desired", "tenant", "pool"),
    _metric(
        "corral_certificate_expiry_timestamp_seconds",
        "name",
        unit="s",
        note="of Secrets of the egress, as their control plane notes it on its shared part",
    ),
    _metric(
        "corral_exporter_last_success_timestamp_seconds",
        "part",
        unit="s",
        note="part: pods, namespaces, sandboxes, claims, warm-pools, egress, responses or agents",
    ),
    _metric(
        "corral_exporter_agent_answers_total",
        "result",
        kind=Kind.COUNTER,
        note="result: answered, refused (not a status) or silent (no guard)",
    ),
    _metric("corral_exporter_sandboxes_left_out"),
)
