"""What kube-state-metrics says of nodes and of the platform's own parts.

Recorded, as kube_state.py says; line numbers are those of v2.20.0.
"""

from __future__ import annotations

from components.observability.inventory.kube_state import KUBE_STATE, known_from
from components.observability.inventory.metric import Kind, Metric, Source

SOURCES: tuple[Source, ...] = ()


def _metric(name: str, file: str, line: int, *labels: str, note: str = "") -> Metric:
    provenance, reference = known_from(name, file, line)
    return Metric(
        name=name,
        source=KUBE_STATE,
        kind=Kind.GAUGE,
        labels=labels,
        unit="",
        provenance=provenance,
        reference=reference,
        note=note,
    )


METRICS = (
    _metric("kube_node_info", "node", 135, "node"),
    _metric(
        "kube_node_labels",
        "node",
        40,
        "node",
        "label_corral_dev_tier",
        "label_corral_dev_pool",
        "label_corral_dev_purpose",
        "label_topology_kubernetes_io_zone",
        note="only the labels of metricLabelsAllowlist",
    ),
    _metric(
        "kube_node_spec_taint",
        "node",
        291,
        *("node", "key", "value", "effect"),
        note="gone with the taint: a node that isn't tainted has no series",
    ),
    _metric(
        "kube_node_status_condition",
        "node",
        509,
        *("node", "condition", "status"),
        note="three series for each condition, of which one is 1",
    ),
    _metric(
        "kube_deployment_status_replicas_available", "deployment", 153, "namespace", "deployment"
    ),
    _metric("kube_deployment_spec_replicas", "deployment", 268, "namespace", "deployment"),
    _metric(
        "kube_pod_status_ready_time",
        "pod",
        1602,
        *("namespace", "pod", "uid"),
        note="of pods that are ready now: when they last became so",
    ),
)
