"""What nodes offer: kube-state-metrics' word, which dashboards set requests against.

Line numbers: kubernetes/kube-state-metrics v2.20.0.
"""

from __future__ import annotations

from components.observability.inventory.kube_state import KUBE_STATE
from components.observability.inventory.metric import Kind, Metric, Source

SOURCES: tuple[Source, ...] = ()

METRICS = (
    Metric(
        name="kube_node_status_allocatable",
        source=KUBE_STATE,
        kind=Kind.GAUGE,
        labels=("node", "resource", "unit"),
        unit="",
        reference="kubernetes/kube-state-metrics v2.20.0 internal/store/node.go:338",
        note="CPU in cores; what the node keeps for itself is already taken off",
    ),
)
