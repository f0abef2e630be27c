"""What our own exporter says, because nobody else does (warden/warden/exporter)."""

from __future__ import annotations

from components.observability.inventory.metric import Kind, Metric, Source

EXPORTER = Source(name="corral-exporter", job="corral-exporter")

SOURCES = (EXPORTER,)

_SANDBOX = ("namespace", "pod", "tenant", "agent_class")


def _metric(
    name: str, *labels: str, kind: Kind = Kind.GAUGE, unit: str = "", note: str = ""
) -> Metric:
    return Metric(
        name=name,
        source=EXPORTER,
        kind=kind,
        labels=labels,
        unit=unit,
        reference="warden/warden/exporter",
        note=note,
    )


METRICS = (
    _metric("corral_sandbox_idle_seconds", *_SANDBOX, unit="s"),
    _metric("corral_sandbox_age_seconds", *_SANDBOX, unit="s"),
    _metric("corral_sandbox_age_limit_seconds", *_SANDBOX, unit="s"),
    _metric("corral_sandbox_cost_usd_per_hour", *_SANDBOX, unit="USD/h"),
    _metric("corral_sandbox_leak_suspect", *_SANDBOX),
    _metric("corral_sandbox_quarantined", *_SANDBOX),
    _metric(
        "corral_sandbox_growth_bytes_per_hour",
        *_SANDBOX,
        unit="B/h",
        note="of agents that the guard watches; the others have none",
    ),
    _metric(
        "corral_tenant_sandboxes",
        "tenant",
        "agent_class",
        "state",
        note="state: busy, idle, safe, unknown, pending or suspended",
    ),
    _metric("corral_tenant_cost_usd_per_hour", "tenant", unit="USD/h"),
    _metric("corral_tenant_queue_oldest_seconds", "tenant", unit="s"),
    _metric("corral_tenant_queue_length", "tenant"),
    _metric("corral_tenant_allowlist_entries", "tenant"),
    _metric("corral_tenant_egress_denials_total", "tenant", "wall", kind=Kind.COUNTER),
    _metric("corral_tenant_dns_refusals_total", "tenant", kind=Kind.COUNTER),
    _metric("corral_responses_total", "tenant", "level", kind=Kind.COUNTER),
    _metric("corral_warm_pool_ready", "tenant", "pool"),
    _metric("corral_warm_pool_desired", "tenant", "pool"),
    _metric("corral_certificate_expiry_timestamp_seconds", "name", unit="s"),
    _metric("corral_exporter_last_success_timestamp_seconds", "part", unit="s"),
)
