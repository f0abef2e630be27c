"""What a kubelet says of its pods: three paths of one job, each true under other tiers.

Line numbers: kubernetes v1.36.3 and the google/cadvisor v0.56.2 that it is built with.
"""

from __future__ import annotations

from components.observability.inventory.metric import EVERY_TIER, Kind, Metric, Source
from corral.settings.tiers import Tier

KUBELET_JOB = "kubelet"

RESOURCE = Source(name="kubelet-resource", job=KUBELET_JOB, metrics_path="/metrics/resource")
CADVISOR = Source(name="kubelet-cadvisor", job=KUBELET_JOB, metrics_path="/metrics/cadvisor")
VOLUMES = Source(name="kubelet-volumes", job=KUBELET_JOB, metrics_path="/metrics")

SOURCES = (RESOURCE, CADVISOR, VOLUMES)

_RESOURCE = "kubernetes v1.36.3 pkg/kubelet/metrics/collectors/resource_metrics.go:{}"
_VOLUMES = "kubernetes v1.36.3 pkg/kubelet/metrics/collectors/volume_stats.go:{}"
_CADVISOR = "google/cadvisor v0.56.2 metrics/prometheus.go:{}"
_CONTAINER = ("namespace", "pod", "container")
_CGROUP = (*_CONTAINER, "id", "image", "name")
_CLAIM = ("namespace", "persistentvolumeclaim")

_NO_HOST_CGROUPS = "a container has no cgroup of its own on the host under gVisor and Kata"
_HOST = frozenset({Tier.CONTAINER, Tier.GVISOR})
"""Tiers whose processes are the host kernel's to count."""


def _resource(name: str, kind: Kind, unit: str, line: int) -> Metric:
    return Metric(
        name=name,
        source=RESOURCE,
        kind=kind,
        labels=_CONTAINER,
        unit=unit,
        tiers=EVERY_TIER,
        reference=_RESOURCE.format(line),
        note="under Kata the guest's own figure, which its agent gives; a container that the "
        "runtime has no figures of is left out",
    )


def _of_container(name: str, kind: Kind, unit: str, line: int) -> Metric:
    return Metric(
        name=name,
        source=CADVISOR,
        kind=kind,
        labels=_CGROUP,
        unit=unit,
        tiers=frozenset({Tier.CONTAINER}),
        reference=_CADVISOR.format(line),
        matchers=('container!=""',),
        note=_NO_HOST_CGROUPS,
    )


def _of_pod(
    name: str, kind: Kind, unit: str, line: int, *, tiers: frozenset[Tier], note: str = ""
) -> Metric:
    return Metric(
        name=name,
        source=CADVISOR,
        kind=kind,
        labels=("namespace", "pod", "id"),
        unit=unit,
        tiers=tiers,
        reference=_CADVISOR.format(line),
        matchers=('container=""',),
        note=note,
    )


def _volume(name: str, unit: str, line: int) -> Metric:
    return Metric(
        name=name,
        source=VOLUMES,
        kind=Kind.GAUGE,
        labels=_CLAIM,
        unit=unit,
        tiers=frozenset({Tier.CONTAINER, Tier.GVISOR, Tier.MICROVM}),
        reference=_VOLUMES.format(line),
        note="of claims that a node has mounted itself; under confidential runtimes the guest "
        "mounts them, and the node sees a device",
    )


METRICS = (
    _resource("container_cpu_usage_seconds_total", Kind.COUNTER, "s", 51),
    _resource("container_memory_working_set_bytes", Kind.GAUGE, "B", 58),
    _resource("container_start_time_seconds", Kind.GAUGE, "s", 114),
    _of_container("container_cpu_usage_seconds_total", Kind.COUNTER, "s", 175),
    _of_container("container_memory_working_set_bytes", Kind.GAUGE, "B", 469),
    _of_container("container_oom_events_total", Kind.COUNTER, "", 1823),
    _of_container("container_threads", Kind.GAUGE, "", 1641),
    _of_container("container_pressure_cpu_waiting_seconds_total", Kind.COUNTER, "s", 1842),
    _of_container("container_pressure_memory_stalled_seconds_total", Kind.COUNTER, "s", 1849),
    _of_container("container_pressure_memory_waiting_seconds_total", Kind.COUNTER, "s", 1856),
    _of_container("container_pressure_io_waiting_seconds_total", Kind.COUNTER, "s", 1870),
    _of_pod(
        "container_threads",
        Kind.GAUGE,
        "",
        1641,
        tiers=_HOST,
        note="under Kata it counts threads of the VMM: what runs in the guest isn't among them",
    ),
    _of_pod(
        "container_cpu_usage_seconds_total",
        Kind.COUNTER,
        "s",
        175,
        tiers=EVERY_TIER,
        note="with the sentry or the VMM; under Kata if sandbox_cgroup_only",
    ),
    _of_pod(
        "container_memory_working_set_bytes",
        Kind.GAUGE,
        "B",
        469,
        tiers=_HOST,
        note="under Kata it counts the guest's page cache, which only grows: never judge a leak "
        "or a limit by it there",
    ),
    _volume("kubelet_volume_stats_capacity_bytes", "B", 30),
    _volume("kubelet_volume_stats_used_bytes", "B", 42),
    _volume("kubelet_volume_stats_inodes", "", 48),
    _volume("kubelet_volume_stats_inodes_used", "", 60),
)
