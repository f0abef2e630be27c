"""What Prometheus and Alertmanager say of themselves, and what else the chart scrapes.

Each Prometheus scrapes both of the pair: rules take one alert for each pod.
"""

from __future__ import annotations

from components.observability.inventory.metric import Kind, Metric, Provenance, Source

PROMETHEUS = Source(name="prometheus", job="corral-prometheus")
ALERTMANAGER = Source(name="alertmanager", job="corral-alertmanager")
OPERATOR = Source(name="prometheus-operator", job="corral-operator")
GRAFANA = Source(name="grafana", job="corral-grafana", needs="grafana")
NODE_EXPORTER = Source(name="node-exporter", job="node-exporter")
API_SERVER = Source(name="api-server", job="apiserver")
CLUSTER_DNS = Source(name="cluster-dns", job="coredns")

SOURCES = (PROMETHEUS, ALERTMANAGER, OPERATOR, GRAFANA, NODE_EXPORTER, API_SERVER, CLUSTER_DNS)

_TARGET = ("namespace", "pod", "service", "container", "endpoint")
_REMOTE = ("remote_name", "url")


def _metric(
    name: str, *labels: str, source: Source = PROMETHEUS, kind: Kind = Kind.COUNTER, note: str = ""
) -> Metric:
    return Metric(
        name=name,
        source=source,
        kind=kind,
        labels=(*_TARGET, *labels),
        unit="",
        provenance=Provenance.RECORDED,
        reference=f"tests/observability/recorded/{source.name}.txt",
        note=note,
    )


METRICS = (
    Metric(
        name="up",
        source=PROMETHEUS,
        kind=Kind.GAUGE,
        labels=(*_TARGET, "metrics_path", "node"),
        unit="",
        reference="prometheus/prometheus v3.14.0 scrape/scrape.go:2225",
        note="of every target, under the target's own job; a target that isn't found has none",
    ),
    _metric("prometheus_config_last_reload_successful", kind=Kind.GAUGE),
    _metric("prometheus_notifications_alertmanagers_discovered", kind=Kind.GAUGE),
    _metric("prometheus_notifications_dropped_total", "alertmanager"),
    _metric("prometheus_remote_storage_queue_highest_sent_timestamp_seconds", *_REMOTE,
            kind=Kind.GAUGE, note="0 until something was sent"),
    _metric("prometheus_remote_storage_queue_highest_timestamp_seconds", *_REMOTE,
            kind=Kind.GAUGE),
    _metric("prometheus_rule_evaluation_failures_total", "rule_group"),
    _metric("prometheus_rule_group_iterations_missed_total", "rule_group"),
    _metric("prometheus_target_scrapes_exceeded_sample_limit_total"),
    _metric("prometheus_tsdb_compactions_failed_total"),
    _metric("prometheus_tsdb_wal_corruptions_total"),
    _metric("prometheus_tsdb_head_series", kind=Kind.GAUGE),
    _metric("alertmanager_config_last_reload_successful", source=ALERTMANAGER, kind=Kind.GAUGE),
    _metric(
        "alertmanager_notifications_failed_total",
        "integration",
        "reason",
        source=ALERTMANAGER,
        note="of each kind of receiver, whether the stack has one or not",
    ),
)  # fmt: skip
