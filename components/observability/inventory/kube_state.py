"""What kube-state-metrics says: the API server's view, the same under every tier.

Two replicas give every series twice, with another `instance`: rules take the maximum.
Recorded from kube-state-metrics v2.20.0 with the labels that we have it repeat; line numbers are
that version's.
"""

from __future__ import annotations

from components.observability.inventory.metric import Kind, Metric, Provenance, Source

KUBE_STATE = Source(name="kube-state-metrics", job="kube-state-metrics")

SOURCES = (KUBE_STATE,)

_POD = ("namespace", "pod", "uid")
_CONTAINER = (*_POD, "container")


_VERSION = "kubernetes/kube-state-metrics v2.20.0"
_FILE = "tests/observability/recorded/kube-state-metrics.prom"
_UNSEEN = frozenset({"kube_pod_status_reason"})
"""Series that it gives of what didn't happen while it was recorded: evictions."""


def known_from(name: str, file: str, line: int) -> tuple[Provenance, str]:
    """How we know a metric of it, and the reference; file and line are those of its source."""
    source = f"internal/store/{file}.go:{line}"
    if name in _UNSEEN:
        return Provenance.DERIVED, f"{_VERSION} {source}"
    return Provenance.RECORDED, f"{_FILE} ({source})"


def _pod(
    name: str, line: int, *labels: str, kind: Kind = Kind.GAUGE, unit: str = "", note: str = ""
) -> Metric:
    provenance, reference = known_from(name, "pod", line)
    return Metric(
        name=name,
        source=KUBE_STATE,
        kind=kind,
        labels=(*_POD, *labels),
        unit=unit,
        provenance=provenance,
        reference=reference,
        note=note,
    )


METRICS = (
    _pod("kube_pod_info", 642, "node", "created_by_kind", "created_by_name", "priority_class"),
    _pod(
        "kube_pod_labels",
        1243,
        "label_corral_dev_agent_class",
        "label_corral_dev_quarantine",
        note="only the labels of metricLabelsAllowlist; a pod without one has no label of it",
    ),
    _pod("kube_pod_runtimeclass_name_info", 1389, "runtimeclass_name"),
    _pod("kube_pod_created", 592, unit="s"),
    _pod("kube_pod_start_time", 1480, unit="s"),
    _pod("kube_pod_status_phase", 1504, "phase", note="one series for each phase, 0 or 1"),
    _pod("kube_pod_status_ready", 1672, "condition"),
    _pod("kube_pod_status_unschedulable", 1842, note="absent unless the scheduler said no"),
    _pod("kube_pod_status_reason", 1701, "reason"),
    _pod("kube_pod_container_info", 149, "container", "container_id", "image"),
    _pod(
        "kube_pod_container_resource_limits",
        179,
        "container",
        "node",
        "resource",
        "unit",
        note="CPU in cores; `ephemeral_storage` is the resource's name there",
    ),
    _pod("kube_pod_container_resource_requests", 243, "container", "node", "resource", "unit"),
    _pod(
        "kube_pod_container_status_last_terminated_reason",
        339,
        "container",
        "reason",
        note="stands until the container ends another time: never alert on it alone",
    ),
    _pod(
        "kube_pod_container_status_terminated_reason",
        515,
        "container",
        "reason",
        note="of containers that stay ended, as with restartPolicy Never",
    ),
    _pod("kube_pod_container_status_restarts_total", 441, "container", kind=Kind.COUNTER),
    _pod("kube_pod_container_status_waiting_reason", 566, "container", "reason"),
    _pod("kube_pod_overhead_memory_bytes", 1293, unit="B"),
    _pod("kube_pod_overhead_cpu_cores", 1267),
    _pod(
        "kube_pod_spec_volumes_persistentvolumeclaims_info",
        1414,
        "volume",
        "persistentvolumeclaim",
        "ephemeral",
    ),
    Metric(
        name="kube_namespace_labels",
        provenance=Provenance.RECORDED,
        source=KUBE_STATE,
        kind=Kind.GAUGE,
        labels=(
            "namespace",
            "label_corral_dev_tenant",
            "label_corral_dev_quarantine",
            "label_corral_dev_suspended",
        ),
        unit="",
        reference=known_from("kube_namespace_labels", "namespace", 38)[1],
        note="only the labels of metricLabelsAllowlist",
    ),
)
