"""Scrape configurations as the operator makes them of the monitors that the stack has, with
addresses instead of what Kubernetes would find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.observability.exporter.documents import exporter_documents
from components.observability.inventory.inventory import sources
from components.observability.inventory.kubelet import KUBELET_JOB
from components.observability.inventory.metric import Source
from components.observability.place import ObservabilityPlace
from components.observability.stack.monitors import monitor_documents
from components.observability.stack.state_metrics import state_metrics_values
from components.observability.stack.values import stack_values
from corral.settings.observability import NAMESPACE

POD = {"namespace": NAMESPACE, "pod": "source-0", "container": "source"}
"""What Kubernetes' discovery says of a target itself: names that some sources say of sandboxes."""
NODE = {"namespace": NAMESPACE, "service": "corral-kubelet", "endpoint": "https-metrics"}
"""The same of a kubelet, which is no pod."""


def target_labels(source: Source) -> dict[str, str]:
    """Labels of its targets besides `instance`."""
    return {"job": source.job, **(NODE if source.job == KUBELET_JOB else POD)}


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """What a monitor says of how a source is scraped."""

    honor: bool = False
    """Whether the source's own `namespace` and `pod` stand, and not those of the target."""
    tls: bool = False
    most: int = 0
    """Samples that are taken of one answer; no limit when 0."""
    kept: tuple[dict[str, Any], ...] = ()
    """Metric relabelings, in the operator's words."""
    path_named: bool = False
    """Whether it adds label `metrics_path`."""


def monitors(place: ObservabilityPlace) -> dict[str, Monitor]:
    """By job, or by job and path where it has several. What the charts alone say has its place in
    kube-prometheus-stack 88.5.3: kubelet.serviceMonitor, values.yaml:1803 and 1940."""
    values = stack_values(place)
    kubelet = values["kubelet"]["serviceMonitor"]
    state = state_metrics_values(place)["prometheus"]["monitor"]["http"]
    found = {
        "kubelet/metrics": Monitor(honor=True, path_named=True),
        "kubelet/metrics/resource": Monitor(honor=True, path_named=True),
        "kubelet/metrics/cadvisor": Monitor(
            honor=True, path_named=True, kept=tuple(kubelet["cAdvisorMetricRelabelings"])
        ),
        "kube-state-metrics": Monitor(honor=state["honorLabels"]),
    }
    for document in (*monitor_documents(place), *exporter_documents(place)):
        if document["kind"] == "PodMonitor":
            found |= _of_pods(document["spec"])
    return found


def _of_pods(spec: Mapping[str, Any]) -> dict[str, Monitor]:
    (endpoint,) = spec["podMetricsEndpoints"]
    (job,) = (each["replacement"] for each in endpoint["relabelings"])
    return {
        job: Monitor(
            honor=endpoint.get("honorLabels", False),
            tls=endpoint.get("scheme") == "https",
            most=spec["sampleLimit"],
            kept=tuple(endpoint.get("metricRelabelings", ())),
        )
    }


def scrape_configs(
    place: ObservabilityPlace,
    address: str,
    *,
    interval: str,
    own: Mapping[str, str],
    instances: Mapping[str, tuple[str, ...]] | None = None,
    without: frozenset[str] = frozenset(),
) -> list[dict[str, Any]]:
    """One for each source: at `address`, told by `?source=`, but those in `own`, by name, which
    are processes of their own. `instances` are several targets of one source."""
    known = monitors(place)
    return [
        _config(
            source,
            known.get(source.job + source.metrics_path) or known.get(source.job) or Monitor(),
            own.get(source.name, address),
            interval,
            (instances or {}).get(source.name, ("",)),
            named=source.name not in own,
        )
        for source in sources()
        if source.name not in without
    ]


def _config(
    source: Source,
    monitor: Monitor,
    address: str,
    interval: str,
    instances: tuple[str, ...],
    *,
    named: bool,
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "job_name": f"monitor/{source.name}",
        "scrape_interval": interval,
        "scrape_timeout": interval,
        "honor_labels": monitor.honor,
        "track_timestamps_staleness": True,
        "metrics_path": source.metrics_path or "/metrics",
        "scheme": "https" if monitor.tls and not named else "http",
        "static_configs": [
            {
                "targets": [address],
                "labels": {
                    **target_labels(source),
                    **({"instance": each, "__param_part": each} if each else {}),
                },
            }
            for each in instances
        ],
        "metric_relabel_configs": [_words(each) for each in monitor.kept],
    }
    if named:
        found["params"] = {"source": [source.name]}
    elif monitor.tls:
        found["tls_config"] = {"insecure_skip_verify": True}
    if monitor.most:
        found["sample_limit"] = monitor.most
    if monitor.path_named:
        found["relabel_configs"] = [
            {"source_labels": ["__metrics_path__"], "target_label": "metrics_path"}
        ]
    return found


def _words(relabeling: Mapping[str, Any]) -> dict[str, Any]:
    """Prometheus' own words for the operator's."""
    named = {"sourceLabels": "source_labels", "targetLabel": "target_label"}
    return {named.get(key, key): value for key, value in relabeling.items()}
