"""What a kubelet says of its pods: three paths of one job, each true under other tiers.

Recorded from a kubelet 1.36.3 with runc and with gVisor. What is said of Kata here is derived, from
that kubelet's source and the google/cadvisor v0.56.2 that it is built with: no guest was recorded.
"""

from __future__ import annotations

from components.observability.inventory.metric import EVERY_TIER, Kind, Metric, Provenance, Source
from corral.settings.tiers import Tier

KUBELET_JOB = "kubelet"

RESOURCE = Source(name="kubelet-resource", job=KUBELET_JOB, metrics_path="/metrics/resource")
CADVISOR = Source(name="kubelet-cadvisor", job=KUBELET_JOB, metrics_path="/metrics/cadvisor")
VOLUMES = Source(name="kubelet-volumes", job=KUBELET_JOB, metrics_path="/metrics")

SOURCES = (RESOURCE, CADVISOR, VOLUMES)

_RECORDED = "tests/observability/recorded/kubelet-{}.prom"
_CONTAINER = ("namespace", "pod", "container")
_CGROUP = (*_CONTAINER, "id", "image", "name")
_POD_ROW = ("namespace", "pod", "id", "image", "name")
_CPU = "container_cpu_usage_seconds_total"
"""cAdvisor gives it a label `cpu`, which is `total`."""
_CLAIM = ("namespace", "persistentvolumeclaim")

_PAUSE = (
    "the pause container's row is among them, under gVisor with all of the sentry: the pod's own "
    "has no name and is the highest; a sum counts twice"
)
_NO_HOST_CGROUPS = (
    "a container's own cgroup on the host is empty under gVisor, and under Kata there is none"
)
_HOST = frozenset({Tier.CONTAINER, Tier.GVISOR})
"""Tiers whose processes are the host kernel's to count."""


def _resource(name: str, kind: Kind, unit: str) -> Metric:
    return Metric(
        name=name,
        source=RESOURCE,
        kind=kind,
        labels=_CONTAINER,
        unit=unit,
        tiers=EVERY_TIER,
        provenance=Provenance.RECORDED,
        reference=_RECORDED.format("resource-runc"),
        note="under Kata the guest's own figure, which its agent gives; a container that the "
        "runtime has no figures of is left out",
    )


def _of_container(name: str, kind: Kind, unit: str, *, note: str = "") -> Metric:
    return Metric(
        name=name,
        source=CADVISOR,
        kind=kind,
        labels=(*_CGROUP, "cpu") if name == _CPU else _CGROUP,
        unit=unit,
        tiers=frozenset({Tier.CONTAINER}),
        provenance=Provenance.RECORDED,
        reference=_RECORDED.format("cadvisor-runc"),
        matchers=('container!=""',),
        note=f"{_NO_HOST_CGROUPS}; {note}" if note else _NO_HOST_CGROUPS,
    )


def _of_pod(name: str, kind: Kind, unit: str, *, tiers: frozenset[Tier], note: str = "") -> Metric:
    return Metric(
        name=name,
        source=CADVISOR,
        kind=kind,
        labels=(*_POD_ROW, "cpu") if name == _CPU else _POD_ROW,
        unit=unit,
        tiers=tiers,
        provenance=Provenance.RECORDED,
        reference=_RECORDED.format("cadvisor-runc"),
        matchers=('container=""',),
        note=f"{_PAUSE}; {note}" if note else _PAUSE,
    )


def _volume(name: str, unit: str) -> Metric:
    return Metric(
        name=name,
        source=VOLUMES,
        kind=Kind.GAUGE,
        labels=_CLAIM,
        unit=unit,
        tiers=frozenset({Tier.CONTAINER, Tier.GVISOR, Tier.MICROVM}),
        provenance=Provenance.RECORDED,
        reference=_RECORDED.format("volumes"),
        note="of claims that a node has mounted itself; under confidential runtimes the guest "
        "mounts them, and the node sees a device",
    )


METRICS = (
    _resource(_CPU, Kind.COUNTER, "s"),
    _resource("container_memory_working_set_bytes", Kind.GAUGE, "B"),
    _resource("container_start_time_seconds", Kind.GAUGE, "s"),
    _of_container(_CPU, Kind.COUNTER, "s"),
    _of_container("container_memory_working_set_bytes", Kind.GAUGE, "B"),
    _of_container(
        "container_oom_events_total",
        Kind.COUNTER,
        "",
        note="gone with a container that is killed whole: it counts processes killed in one that "
        "goes on",
    ),
    _of_container("container_threads", Kind.GAUGE, ""),
    _of_container("container_pressure_cpu_waiting_seconds_total", Kind.COUNTER, "s"),
    _of_container("container_pressure_memory_stalled_seconds_total", Kind.COUNTER, "s"),
    _of_container("container_pressure_memory_waiting_seconds_total", Kind.COUNTER, "s"),
    _of_container("container_pressure_io_waiting_seconds_total", Kind.COUNTER, "s"),
    _of_pod(
        "container_threads",
        Kind.GAUGE,
        "",
        tiers=_HOST,
        note="under Kata it counts threads of the VMM: what runs in the guest isn't among them",
    ),
    _of_pod(
        _CPU,
        Kind.COUNTER,
        "s",
        tiers=EVERY_TIER,
        note="with the sentry or the VMM; under Kata if sandbox_cgroup_only",
    ),
    _of_pod(
        "container_memory_working_set_bytes",
        Kind.GAUGE,
        "B",
        tiers=_HOST,
        note="under Kata it counts the guest's page cache, which only grows: never judge a leak "
        "or a limit by it there",
    ),
    _volume("kubelet_volume_stats_capacity_bytes", "B"),
    _volume("kubelet_volume_stats_used_bytes", "B"),
    _volume("kubelet_volume_stats_inodes", ""),
    _volume("kubelet_volume_stats_inodes_used", ""),
)
