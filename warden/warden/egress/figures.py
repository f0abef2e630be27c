"""How fast what is taken away reaches gateways, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from warden.egress.world import World

SECONDS = (0.25, 0.5, 1.0, 2.0, 4.0, 9.0, 29.0, 59.0)
"""What is counted by: a promise is one of these and the second in which Envoy ends connections."""


class _Waiting(Collector):
    def __init__(self, world: World) -> None:
        self._world = world

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = GaugeMetricFamily(
            "corral_egress_cut_waiting_seconds",
            "The oldest that was taken away and that this gateway hasn't taken yet, by what this "
            "replica heard last; 0 where there is none.",
            labels=["gateway", "part"],
        )
        for (gateway, part), seconds in sorted(self._world.waiting().items()):
            found.add_metric([gateway, part], seconds)
        yield found


class Figures:
    """Of one replica."""

    def __init__(self, world: World) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped there
        self._registry = CollectorRegistry()
        self._registry.register(_Waiting(world))
        ProcessCollector(registry=self._registry)
        seconds = Histogram(
            "corral_egress_cut_seconds",
            "From learning that something is taken away to handing a gateway the answer that says "
            "so, of answers that were taken. Envoy ends connections a second later.",
            buckets=SECONDS,
            registry=self._registry,
        )
        world.reaction.observe = seconds.observe

    def text(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self._registry)
