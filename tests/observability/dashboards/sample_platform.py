"""Nodes, tenants, the way out, and who watches."""

from __future__ import annotations

import math

from components.network.policies.places import EGRESS_NAMESPACE
from components.observability.inventory.inventory import sources
from components.observability.logs.collector import MOST_WAITING
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE
from corral.settings.tiers import UNVERIFIED_TAINT
from tests.observability.dashboards.curves import (
    END,
    START,
    counter,
    curve,
    rising,
    since,
    steps,
    wave,
)
from tests.observability.dashboards.sample_sandboxes import BORN, GIB, SANDBOXES
from tests.observability.rules import series as emitted
from tests.observability.rules.series import Series, kube_state, steady

NODES = {
    "shared-1": ("sandboxed", "gvisor"),
    "isolated-1": ("isolated", "microvm"),
    "isolated-2": ("isolated", "microvm"),
    "burst-1": ("isolated-burst", "microvm"),
    "system-1": ("system", ""),
}


def nodes() -> Series:
    found: Series = {}
    for at, (node, (pool, tier)) in enumerate(NODES.items()):
        here = since(4.2) if node == "burst-1" else steady(1)
        found |= kube_state("kube_node_info", here, namespace="", node=node)
        found |= kube_state(
            "kube_node_labels",
            here,
            namespace="",
            node=node,
            label_corral_dev_pool=pool,
            label_corral_dev_tier=tier,
            label_topology_kubernetes_io_zone=f"eu-central-1{'abc'[at % 3]}",
        )
        for resource, unit, value in (("cpu", "core", 15.6), ("memory", "byte", 60 * GIB)):
            found |= kube_state(
                "kube_node_status_allocatable",
                since(4.2, value) if node == "burst-1" else steady(value),
                namespace="",
                node=node,
                resource=resource,
                unit=unit,
            )
        found |= kube_state(
            "kube_node_status_condition",
            curve(lambda t: 1.0 if t >= 4.3 else 0.0) if node == "burst-1" else here,
            namespace="",
            node=node,
            condition="Ready",
            status="true",
        )
        if tier == "microvm":
            labels = {"job": "kata-monitor", "instance": f"{node}:8090"}
            found[emitted.series("kata_monitor_running_shim_count", labels)] = _guests(node)
    found |= kube_state(
        "kube_node_spec_taint",
        since(4.2),
        namespace="",
        node="burst-1",
        key=UNVERIFIED_TAINT,
        effect="NoSchedule",
    )
    return found


def tenants() -> Series:
    found: Series = {}
    for at, tenant in enumerate(("acme", "health-records")):
        for agent_class in ("planner", "worker"):
            for state in ("busy", "idle", "safe", "unknown", "pending", "suspended"):
                count = _STATES.get((tenant, agent_class, state), "")
                found |= emitted.exporter(
                    "corral_tenant_sandboxes",
                    count or steady(0),
                    tenant=tenant,
                    agent_class=agent_class,
                    state=state,
                )
        figures = {
            "corral_tenant_cost_usd_per_hour": _count(
                [who for who in SANDBOXES if who[0] == tenant and SANDBOXES[who][2]], 0.11
            ),
            "corral_tenant_queue_oldest_seconds": steady(4) if at else rising(3600, 4.6),
            "corral_tenant_queue_length": steady(0) if at else rising(20, 4.5, whole=True),
            "corral_tenant_allowlist_entries": steady(42 - 25 * at),
        }
        for name, value in figures.items():
            found |= emitted.exporter(name, value, tenant=tenant)
        for level in ("1", "2", "3"):
            found |= emitted.exporter(
                "corral_responses_total",
                rising(0.5, int(level), whole=True),
                tenant=tenant,
                level=level,
            )
        for what, value in (
            ("desired", steady(3)),
            ("ready", steps(3, 4.5, 3.0 * at)),
        ):
            found |= emitted.exporter(
                f"corral_warm_pool_{what}", value, tenant=tenant, pool="worker"
            )
    return found


def target(job: str, pod: str, namespace: str = EGRESS_NAMESPACE) -> dict[str, str]:
    return {"job": job, "namespace": namespace, "pod": pod, "container": "main", "endpoint": "1"}


def egress() -> Series:
    found: Series = {}
    connections = "envoy_http_conn_manager_prefix"
    for at, name in enumerate(("gateway-a", "gateway-b")):
        envoy = target("egress-gateway", name)
        decision = {**envoy, connections: "decision"}
        scope = {**envoy, connections: "tenant", "envoy_scoped_rds_config": "lists"}
        ratio = 0.7 if at else 0.0
        for metric, labels, value in (
            ("up", envoy, steady(1)),
            ("envoy_server_live", envoy, steady(1)),
            ("envoy_server_days_until_first_cert_expiring", envoy, steady(9)),
            ("envoy_http_downstream_cx_active", decision, wave(820 + 90 * at, 140, at)),
            ("envoy_http_downstream_rq_total", decision, counter(60)),
            ("envoy_http_downstream_rq_overload_close", decision, steady(0)),
            ("envoy_http_rq_overload_local_reply", decision, steady(0)),
            ("envoy_http_no_cluster", decision, counter(0.2, 4.5)),
            ("envoy_dns_cache_egress_dns_rq_pending_overflow", envoy, steady(0)),
            ("envoy_dns_cache_egress_dns_query_attempt", envoy, counter(2)),
            ("envoy_dns_cache_egress_dns_query_failure", envoy, counter(0.3, 4.0, 0.02)),
            ("envoy_dns_cache_egress_dns_query_timeout", envoy, counter(0.1, 4.0, 0.01)),
            ("envoy_listener_manager_lds_update_attempt", envoy, counter(2)),
            ("envoy_listener_manager_lds_update_failure", envoy, counter(2 * ratio, 4.6)),
            ("envoy_listener_manager_lds_update_rejected", envoy, steady(0)),
            ("envoy_http_scoped_rds_update_attempt", scope, counter(2)),
            ("envoy_http_scoped_rds_update_failure", scope, counter(1.8 * ratio, 4.6)),
            ("envoy_http_scoped_rds_update_rejected", scope, counter(0.01, 4.8)),
            ("envoy_cluster_manager_cds_update_rejected", envoy, steady(0)),
        ):
            found[emitted.series(metric, labels)] = value
        for kind, rate in (("2", 48.0), ("4", 6.0), ("5", 1.5)):
            labels = {**decision, "envoy_response_code_class": kind}
            found[emitted.series("envoy_http_downstream_rq_xx", labels)] = counter(
                rate * 1.6, 4.0, rate
            )
        for tenant, wall, rate in (("acme", "request", 0.9), ("health-records", "inspected", 0.02)):
            denied = {**envoy, "tenant": tenant, "wall": wall}
            found[emitted.series("envoy_corral_tenant_egress_denials", denied)] = counter(
                rate, 4.0, 0.01
            )
        control = target("egress-control", f"control-{'ab'[at]}")
        for part in ("doors", "lists"):
            waits = {**control, "gateway": name, "part": part}
            found[emitted.series("corral_egress_cut_waiting_seconds", waits)] = (
                curve(lambda t: max(0.0, t - 4.8) * 3600) if at and part == "lists" else steady(0)
            )
        for le, rate in (("0.5", 0.006), ("1.0", 0.01095), ("2.0", 0.011), ("+Inf", 0.011)):
            bucket = {**control, "le": le}
            found[emitted.series("corral_egress_cut_seconds_bucket", bucket)] = counter(rate)
        found[emitted.series("corral_egress_cut_seconds_count", control)] = counter(0.011)
        resolver = target("egress-resolver", f"resolver-{'ab'[at]}")
        for metric, value in (
            ("coredns_build_info", steady(1)),
            ("coredns_panics_total", steady(0)),
            ("coredns_reload_failed_total", curve(lambda t: float(t >= 4.9))),
            ("coredns_health_request_failures_total", counter(0.02, 4.5)),
        ):
            found[emitted.series(metric, resolver)] = value
        for tenant, rate in (("acme", 2.1), ("health-records", 0.05)):
            refused = {**resolver, "tenant": tenant}
            found[emitted.series("corral_tenant_dns_refusals_total", refused)] = counter(
                rate, 4.0, 0.03
            )
        dropped = emitted.series("coredns_budget_dropped_total", {**resolver, "tenant": "acme"})
        found[dropped] = counter(3, 4.1)
    for name, days in (("gateway-control", 8.5), ("resolver", 9.4), ("control", 6.2)):
        found |= emitted.exporter(
            "corral_certificate_expiry_timestamp_seconds", steady(END + days * 86_400), name=name
        )
    return found


def platform() -> Series:
    found: Series = {}
    for namespace, name, wanted, available in (
        (EGRESS_NAMESPACE, "egress-gateway", 3, 3),
        (EGRESS_NAMESPACE, "egress-resolver", 2, 2),
        (NAMESPACE, "corral-exporter", 1, 1),
        (NAMESPACE, "corral-grafana", 1, 1),
        (EGRESS_NAMESPACE, "control", 2, 1),
    ):
        labels = {"namespace": namespace, "deployment": name}
        found |= kube_state("kube_deployment_spec_replicas", steady(wanted), **labels)
        found |= kube_state(
            "kube_deployment_status_replicas_available",
            steps(wanted, 4.2, available),
            **labels,
        )
    for source in sources():
        labels = {"job": source.job, "instance": "10.0.0.7:1", "metrics_path": source.metrics_path}
        found[emitted.series("up", labels)] = steady(1)
    for job, metric in (
        ("corral-prometheus", "prometheus_tsdb_head_series"),
        ("corral-prometheus", "prometheus_config_last_reload_successful"),
        ("corral-prometheus", "prometheus_notifications_alertmanagers_discovered"),
        ("corral-alertmanager", "alertmanager_config_last_reload_successful"),
    ):
        found[emitted.series(metric, target(job, f"{job}-0", NAMESPACE))] = steady(1)
    collector = target("corral-logs", "corral-logs-a", NODES_NAMESPACE)
    found[emitted.series("otelcol_exporter_queue_size", collector)] = steady(0)
    found[emitted.series("otelcol_exporter_queue_capacity", collector)] = steady(MOST_WAITING)
    for part in ("pods", "agents", "claims"):
        found |= emitted.exporter(
            "corral_exporter_last_success_timestamp_seconds",
            curve(lambda t: START + t * 3600 - 7 - (13 * t) % 5),
            part=part,
        )
    return found


def security() -> Series:
    sidekick = {**target("corral-falcosidekick", "sidekick-a", NAMESPACE), "hostname": "shared-1"}
    found: Series = {}
    for pod, rule, priority, first in (
        ("planner-1", "Something in /root was opened", "Notice", 1.0),
        ("judge-1", "A file of credentials was looked for where there is none", "Notice", 2.2),
        ("planner-2", "A connection to the cloud's metadata service was tried", "Warning", 4.4),
    ):
        labels = {
            **sidekick,
            "rule": rule,
            "priority": priority,
            "source": "seccheck",
            "k8s_ns_name": "agents-acme",
            "k8s_pod_name": pod,
        }
        key = emitted.series("falcosecurity_falcosidekick_falco_events_total", labels)
        found[key] = _detected(first)
    reader = target("corral-seccheck", "seccheck-x", NAMESPACE)
    for metric, value in (
        ("corral_seccheck_connected_sandboxes", steady(3)),
        ("corral_seccheck_dropped_events_total", counter(0.02, 4.7)),
        ("corral_seccheck_unsent_alerts_total", steady(0)),
    ):
        found[emitted.series(metric, reader)] = value
    return found


def _guests(node: str) -> str:
    return _count([who for who, (_, _, on) in SANDBOXES.items() if on == node])


def _count(those: list[tuple[str, str]], each: float = 1) -> str:
    """How many of them there are, times something."""
    return curve(lambda t: each * sum(t >= BORN.get(who, -2.0) for who in those))


def _detected(first: float) -> str:
    return curve(lambda t: 1.0 + math.floor((t - first) * 3) if t >= first else None)


_WORKERS = [who for who, (of, _, node) in SANDBOXES.items() if of == "worker" and node]
_STATES = {
    ("acme", "planner", "busy"): steps(2, 1.2, 1),
    ("acme", "planner", "idle"): steps(0, 1.2, 1),
    ("acme", "planner", "unknown"): steady(1),
    ("acme", "worker", "busy"): _count([who for who in _WORKERS if who[0] == "acme"]),
    ("acme", "worker", "pending"): steps(0, BORN["acme", "worker-2"], 1),
    ("acme", "worker", "suspended"): steps(0, 2.1, 1),
    ("health-records", "worker", "busy"): _count([who for who in _WORKERS if who[0] != "acme"]),
    ("health-records", "worker", "safe"): steps(0, 4.5, 1),
}
