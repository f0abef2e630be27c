"""Which charts observability is installed from."""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.placed_chart import PlacedChart
from components.observability.stack.values import disk_exporter_values, stack_values
from components.versions import DISK_METRICS_CHART, PROMETHEUS_STACK_CHART


def stack_charts(place: ObservabilityPlace) -> list[PlacedChart]:
    """kube-prometheus-stack, which brings the kinds of monitors and rules."""
    return [
        PlacedChart(
            name=PROMETHEUS_STACK_CHART.name, pin=PROMETHEUS_STACK_CHART, values=stack_values(place)
        )
    ]


def exporter_charts(place: ObservabilityPlace) -> list[PlacedChart]:
    """What needs those kinds: its own monitor is one of them."""
    return [
        PlacedChart(
            name=DISK_METRICS_CHART.name,
            pin=DISK_METRICS_CHART,
            values=disk_exporter_values(place),
        )
    ]
