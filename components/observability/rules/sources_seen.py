"""Blindness: a source that nobody finds, that answers no more, or that says what it should no more.

An expression over series that aren't there gives nothing, and nothing is no alert.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from components.observability.inventory.inventory import sources
from components.observability.inventory.metric import Source
from components.observability.place import ObservabilityPlace
from components.observability.rules.logs_collected import collects
from components.observability.rules.rule import Alert, Group, Severity
from components.observability.rules.thresholds import hold
from components.observability.runtime_security.watched import serves
from components.observability.stack.kata_monitor import has_kata
from corral.settings.tiers import Tier

Has = Callable[[ObservabilityPlace], bool]


def _always(_: ObservabilityPlace) -> bool:
    return True


def _egress(place: ObservabilityPlace) -> bool:
    return place.egress is not None


def _falco(place: ObservabilityPlace) -> bool:
    return serves(place, Tier.CONTAINER)


def _reader(place: ObservabilityPlace) -> bool:
    return serves(place, Tier.GVISOR)


KNOWN_BY: Mapping[str, tuple[Has, str]] = {
    "kubelet-resource": (_always, "container_memory_working_set_bytes"),
    "kubelet-cadvisor": (_always, "container_memory_working_set_bytes"),
    "kubelet-volumes": (_always, "kubelet_volume_stats_used_bytes"),
    "kube-state-metrics": (_always, "kube_node_info"),
    "kata-monitor": (has_kata, ""),
    "ephemeral-storage": (_always, "ephemeral_storage_pod_usage"),
    "corral-exporter": (_always, "corral_exporter_last_success_timestamp_seconds"),
    "gateway": (_egress, "envoy_server_live"),
    "resolver": (_egress, "coredns_build_info"),
    "egress-control": (_egress, "corral_egress_cut_seconds_count"),
    "inbound": (lambda place: place.inbound is not None, "envoy_server_live"),
    "prometheus": (_always, "prometheus_tsdb_head_series"),
    "alertmanager": (_always, "alertmanager_config_last_reload_successful"),
    "prometheus-operator": (_always, ""),
    "grafana": (lambda place: place.observability.grafana is not None, ""),
    "node-exporter": (_always, ""),
    "api-server": (_always, ""),
    "cluster-dns": (_always, ""),
    "log-collector": (collects, "otelcol_exporter_queue_capacity"),
    "falco": (_falco, "falcosecurity_scap_n_drops_total"),
    "seccheck": (_reader, "corral_seccheck_connected_sandboxes"),
    "falcosidekick": (lambda place: _falco(place) or _reader(place), ""),
}
"""By source: whether a stack has it, and a metric that it gives however little happens. Without
one, `up` alone is looked at: rules read nothing of it, or nothing that is there at all times."""


KEY_ROWS: Mapping[str, str] = {"kubelet-cadvisor": ', container=""'}
"""Matchers that tell the rows of a metric apart: those of whole pods are there on every node."""


def seen_rules(place: ObservabilityPlace) -> Group:
    """One alert for each way to be blind, over all sources that the stack has."""
    found = [source for source in sources() if KNOWN_BY[source.name][0](place)]
    held = hold(place.observability.thresholds.source_absent)
    return Group(
        name="sources",
        rules=(
            Alert(
                name="MetricsSourceAbsent",
                expr="\nor ".join(f"absent(up{_of(source)})" for source in found),
                hold=held,
                severity=Severity.CRITICAL,
                summary="Nobody finds {{ $labels.job }}{{ $labels.metrics_path }}",
                description="It has no target at all: whatever stands on its figures is blind, and "
                "its alerts can't fire.",
                action="See whether its pods run and its monitor is there (kubectl get "
                "podmonitors,servicemonitors -n corral-observability).",
            ),
            Alert(
                name="MetricsSourceDown",
                expr="\nor ".join(
                    f"max by ({_told(source)}) (up{_of(source)}) == 0" for source in found
                ),
                hold=held,
                severity=Severity.CRITICAL,
                summary="No target of {{ $labels.job }}{{ $labels.metrics_path }} answers",
                description="Whatever stands on its figures is blind, and its alerts can't fire.",
                action="Read why on Prometheus' page Targets: a refused connection is a network "
                "policy or a dead pod, 401 and 403 are rights.",
            ),
            Alert(
                name="MetricsMissing",
                expr="\nor ".join(
                    f"absent({KNOWN_BY[each.name][1]}{_of(each, KEY_ROWS.get(each.name, ''))})"
                    for each in found
                    if KNOWN_BY[each.name][1]
                ),
                hold=held,
                severity=Severity.CRITICAL,
                summary="{{ $labels.job }}{{ $labels.metrics_path }} says nothing of what it "
                "should",
                description="It may answer, and a figure that it always gives is missing: renamed "
                "by an upgrade, or no longer kept.",
                action="Compare what it answers with components/observability/inventory.",
            ),
            Alert(
                name="ExporterStale",
                expr="time() - max by (part)"
                " (corral_exporter_last_success_timestamp_seconds) > 300",
                severity=Severity.WARNING,
                summary="Part {{ $labels.part }} of Corral's exporter is stale",
                description="It last succeeded {{ $value | humanizeDuration }} ago, and repeats "
                "what it knew then.",
                action="Read its log: rights, or a source that doesn't answer.",
            ),
        ),
    )


def _told(source: Source) -> str:
    return "job, metrics_path" if source.metrics_path else "job"


def _of(source: Source, rows: str = "") -> str:
    path = f', metrics_path="{source.metrics_path}"' if source.metrics_path else ""
    return f'{{job="{source.job}"{path}{rows}}}'
