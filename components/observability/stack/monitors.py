"""Who is scraped besides what the charts scrape themselves."""

from __future__ import annotations

from dataclasses import dataclass

from components.documents import Document, metadata
from components.network.gateway.bootstrap import HEALTH_PORT as GATEWAY_HEALTH_PORT
from components.network.inbound.places import HEALTH_PORT as INBOUND_HEALTH_PORT
from components.network.inbound.places import NAME as INBOUND
from components.network.inbound.places import NAMESPACE as INGRESS_NAMESPACE
from components.network.policies.places import (
    CONTROL,
    CONTROL_METRICS_PORT,
    EGRESS_NAMESPACE,
    GATEWAY,
    PART_LABEL,
    RESOLVER,
)
from components.network.resolver.corefile import METRICS_PORT as RESOLVER_METRICS_PORT
from components.observability.logs.names import COLLECTOR, METRICS_PORT
from components.observability.place import ObservabilityPlace
from components.observability.stack.kata_monitor import has_kata
from components.observability.stack.names import KATA_MONITOR, KATA_MONITOR_PORT
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE, SCRAPE_SECONDS

MOST_SAMPLES = 20_000
"""Of one answer; a target that says more is not believed: what it says would be our memory."""

ENVOY_KEPT = (
    "envoy_(server_(live|uptime|memory_allocated|memory_heap_size|total_connections"
    "|days_until_first_cert_expiring|concurrency|state)"
    "|listener_manager_(total_listeners_.*|listener_(create|update)_.*|lds_update_.*"
    "|workers_started)"
    "|cluster_manager_(active_clusters|cds_update_.*)"
    "|dns_cache_.*|http_downstream_(cx|rq)_.*|http_(no_cluster|no_route|rq_overload_.*"
    "|scoped_rds_.*|credential_injector_.*)|server_worker_watchdog_.*"
    "|rbac_(allowed|denied)|overload_.*|corral_.*)"
)
"""Of Envoy's figures those that count the gateway as a whole. What it says of single tenants stays
with it: a thousand of them, a hundred figures each, would be more series than all sandboxes."""

COLLECTOR_KEPT = (
    "otelcol_exporter_(.*_log_records_total|queue_(size|capacity))"
    "|otelcol_processor_(incoming|outgoing)_items_total"
)
"""Of the collector's figures those that say whether logs go, wait, are held up or are lost. What
its receivers say is left out: they are as many as tenants, on each node."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Pods that answer with figures; whom Prometheus talks to, the network policies say."""

    job: str
    namespace: str
    labels: dict[str, str]
    port: int
    path: str = "/metrics"
    kept: str = ""
    """Names of metrics that are kept; all when empty."""
    tls: bool = False
    """Whether it speaks TLS, with a certificate of its own making."""
    samples: int = MOST_SAMPLES
    """Of one answer at most."""
    honor: bool = False
    """Whether labels of its own go before ours: `namespace` of a sandbox, not of who speaks."""


def targets(place: ObservabilityPlace) -> list[Target]:
    """Those that the stack has. Exporters of other parts bring their own monitors."""
    found: list[Target] = []
    if place.egress is not None:
        found += [
            Target(
                job=GATEWAY,
                namespace=EGRESS_NAMESPACE,
                labels={PART_LABEL: GATEWAY},
                port=GATEWAY_HEALTH_PORT,
                path="/stats/prometheus",
                kept=ENVOY_KEPT,
            ),
            Target(
                job=RESOLVER,
                namespace=EGRESS_NAMESPACE,
                labels={PART_LABEL: RESOLVER},
                port=RESOLVER_METRICS_PORT,
            ),
            Target(
                job=CONTROL,
                namespace=EGRESS_NAMESPACE,
                labels={PART_LABEL: CONTROL},
                port=CONTROL_METRICS_PORT,
                tls=True,
            ),
        ]
    if place.inbound is not None:
        found.append(
            Target(
                job=INBOUND,
                namespace=INGRESS_NAMESPACE,
                labels={PART_LABEL: INBOUND},
                port=INBOUND_HEALTH_PORT,
                path="/stats/prometheus",
                kept=ENVOY_KEPT,
            )
        )
    if has_kata(place):
        found.append(
            Target(
                job=KATA_MONITOR,
                namespace=NODES_NAMESPACE,
                labels={PART_LABEL: KATA_MONITOR},
                port=KATA_MONITOR_PORT,
            )
        )
    if place.observability.logs is not None:
        found.append(
            Target(
                job=COLLECTOR,
                namespace=NODES_NAMESPACE,
                labels={PART_LABEL: COLLECTOR},
                port=METRICS_PORT,
                kept=COLLECTOR_KEPT,
            )
        )
    return found


def monitor_documents(place: ObservabilityPlace) -> list[Document]:
    """A PodMonitor for each."""
    return [pod_monitor(target) for target in targets(place)]


def pod_monitor(target: Target) -> Document:
    """What has Prometheus scrape the target under its job's name."""
    endpoint: Document = {
        "portNumber": target.port,
        "path": target.path,
        "interval": f"{SCRAPE_SECONDS}s",
        "honorLabels": target.honor,
        "relabelings": [{"action": "replace", "targetLabel": "job", "replacement": target.job}],
    }
    if target.tls:
        endpoint |= {"scheme": "https", "tlsConfig": {"insecureSkipVerify": True}}
    if target.kept:
        keep = {"action": "keep", "sourceLabels": ["__name__"], "regex": target.kept}
        endpoint["metricRelabelings"] = [keep]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": metadata(target.job, namespace=NAMESPACE),
        "spec": {
            "namespaceSelector": {"matchNames": [target.namespace]},
            "selector": {"matchLabels": target.labels},
            "sampleLimit": target.samples,
            "podMetricsEndpoints": [endpoint],
        },
    }
