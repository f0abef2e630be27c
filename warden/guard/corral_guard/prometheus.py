"""The same metrics in a registry of prometheus-client, for agents that serve one anyway:
`REGISTRY.register(GuardCollector())`. Needs the extra `corral-guard[prometheus]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Union

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from corral_guard.document import Pod
from corral_guard.figures import families
from corral_guard.process import process

Metric = Union[CounterMetricFamily, GaugeMetricFamily]


class GuardCollector(Collector):
    """This process alone: each process with a registry answers for itself."""

    def collect(self) -> Iterator[Metric]:
        """As of now."""
        for family in families(Pod(processes=(process.status(),), more=0)):
            make = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
            labels = [family.label] if family.label else []
            metric: Metric = make(family.name, family.help, labels=labels)
            for value, number in family.samples:
                metric.add_metric([value] if labels else [], number)
            yield metric
