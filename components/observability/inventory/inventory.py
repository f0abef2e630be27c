"""The inventory as a whole: what may be asked for, and by which matchers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from components.observability.inventory import (
    detections_counted,
    egress_control,
    ephemeral_storage,
    exporter,
    gateway,
    kata,
    kube_state,
    kube_state_cluster,
    kubelet,
    log_collector,
    node_capacity,
    prometheus,
    resolver,
    runtime_security,
)
from components.observability.inventory.metric import Metric, Source

_FILES = (
    *(kubelet, kube_state, kube_state_cluster, kata, ephemeral_storage, exporter),
    *(gateway, resolver, egress_control, prometheus, log_collector),
    *(runtime_security, node_capacity, detections_counted),
)


class UnknownMetric(LookupError):
    """A metric that no source gives."""


@cache
def all_metrics() -> tuple[Metric, ...]:
    """Every metric of every source; of one name there may be several, told apart by matchers."""
    return tuple(metric for file in _FILES for metric in file.METRICS)


def sources() -> tuple[Source, ...]:
    """Everybody who is scraped."""
    return tuple(source for file in _FILES for source in file.SOURCES)


def metrics_named(name: str) -> tuple[Metric, ...]:
    """All of that name; empty if no source gives it."""
    return tuple(metric for metric in all_metrics() if metric.name == name)


def metric(name: str, *matchers: str) -> Metric:
    """The one that a selector `name{matchers}` speaks of, matchers as PromQL writes them.

    Of several whose matchers it holds, the one that needs most of them. Raises UnknownMetric where
    no source gives the name, or where the selector takes in series that have nothing to do with
    one another, such as rows of pods and of containers.
    """
    named = metrics_named(name)
    if not named:
        raise UnknownMetric(f"no source of the inventory gives {name}")
    held = frozenset(matchers)
    possible = [each for each in named if each.selected_by <= held]
    if not possible:
        wanted = " or ".join(f"{{{', '.join(sorted(each.selected_by))}}}" for each in named)
        raise UnknownMetric(f"{name} without {wanted} takes in series of several kinds")
    return max(possible, key=lambda each: len(each.selected_by))


def jobs(metrics: Iterable[Metric]) -> frozenset[str]:
    """The `job` labels that they come under."""
    return frozenset(each.source.job for each in metrics)
