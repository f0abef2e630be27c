"""Ten sandboxes of two tenants."""

from __future__ import annotations

import math

from tests.observability.dashboards.curves import START, counter, curve, since, wave
from tests.observability.rules import series as emitted
from tests.observability.rules.series import Series, kube_state, steady

GIB = 1 << 30

SANDBOXES = {
    # namespace, pod: class, runtime, node
    ("acme", "planner-1"): ("planner", "gvisor", "shared-1"),
    ("acme", "planner-2"): ("planner", "gvisor", "shared-1"),
    ("acme", "judge-1"): ("judge", "gvisor", "shared-1"),
    ("acme", "worker-1"): ("worker", "kata-clh-runtime-rs", "isolated-1"),
    ("acme", "worker-2"): ("worker", "kata-clh-runtime-rs", ""),
    ("acme", "worker-3"): ("worker", "kata-clh-runtime-rs", "isolated-1"),
    ("acme", "worker-4"): ("worker", "kata-clh-runtime-rs", "isolated-2"),
    ("acme", "worker-5"): ("worker", "kata-clh-runtime-rs", "isolated-2"),
    ("health-records", "worker-1"): ("worker", "kata-clh-runtime-rs", "isolated-2"),
    ("health-records", "worker-2"): ("worker", "kata-clh-runtime-rs", "isolated-2"),
}
BORN = {
    ("acme", "worker-1"): 1.4,
    ("acme", "worker-2"): 4.7,
    ("acme", "worker-4"): 2.6,
    ("health-records", "worker-1"): 3.5,
    ("health-records", "worker-2"): 4.1,
}
"""Hours after the beginning, of those that weren't there before it."""


def _memory(pod: str, tenant: str, at: int) -> str:
    if (tenant, pod) == ("acme", "worker-3"):
        return curve(lambda t: (1.05 * 1.17**t) * GIB)
    if pod == "judge-1":
        return curve(lambda t: (0.5 + 1.4 * ((t * 4) % 1)) * GIB)
    return wave((0.6 + 0.11 * at) * GIB, 0.12 * GIB, at)


def sandbox(at: int, who: tuple[str, str]) -> Series:
    """What every source says of it."""
    tenant, pod = who
    agent_class, runtime, node = SANDBOXES[who]
    whose = {"namespace": f"agents-{tenant}", "name": pod}
    state = {"namespace": f"agents-{tenant}", "pod": pod}
    labels = {**state, "tenant": tenant, "agent_class": agent_class}
    waits = not node
    born = BORN.get((tenant, pod), -2.0)
    here = since(born)
    created = START + born * 3600
    found = emitted.pod(
        pod, namespace=f"agents-{tenant}", agent_class=agent_class, runtime=runtime, values=here
    )
    if (tenant, pod) == ("health-records", "worker-2"):
        found |= _quarantined(state, agent_class)
    found |= kube_state("kube_pod_created", since(born, created), **state)
    found |= kube_state("kube_pod_info", here, **state, node=node, created_by_kind="Sandbox")
    for phase in ("Pending", "Running"):
        now = float((phase == "Pending") == waits)
        found |= kube_state("kube_pod_status_phase", since(born, now), **state, phase=phase)
    for resource, unit, value in (("cpu", "core", 2.0), ("memory", "byte", 2.5 * GIB)):
        asked = {"container": "agent", "node": node, "resource": resource, "unit": unit}
        found |= kube_state(
            "kube_pod_container_resource_requests", since(born, value), **state, **asked
        )
        found |= emitted.limit(resource, value, **whose)
    found |= kube_state("kube_pod_overhead_cpu_cores", since(born, 0.25), **state)
    found |= kube_state("kube_pod_overhead_memory_bytes", since(born, 0.16 * GIB), **state)
    found |= emitted.limit("ephemeral_storage", 10 * GIB, **whose)
    found |= emitted.exporter(
        "corral_sandbox_cost_usd_per_hour", since(born, 0.0 if waits else 0.11), **labels
    )
    if not waits:
        found |= _running(at, tenant, pod, created, labels)
    return found


def _quarantined(state: dict[str, str], agent_class: str) -> Series:
    """The same pod's labels, from the moment on when it was put into quarantine."""
    found = kube_state(
        "kube_pod_labels",
        since(4.5),
        **state,
        label_corral_dev_agent_class=agent_class,
        label_corral_dev_quarantine="true",
    )
    labels = {"tenant": "health-records", "agent_class": agent_class}
    return found | emitted.exporter("corral_sandbox_quarantined", since(4.5), **state, **labels)


def _running(at: int, tenant: str, pod: str, created: float, labels: dict[str, str]) -> Series:
    whose = {"namespace": f"agents-{tenant}", "name": pod}
    state = {"namespace": f"agents-{tenant}", "pod": pod}
    busy = 0.95 if pod == "worker-1" and tenant == "acme" else 0.2 + 0.05 * at
    full = 0.93 if pod == "worker-4" else 0.2 + 0.04 * at
    idle = pod == "planner-2"
    ready = created + (1.5 if "planner" in pod else 9 + 3 * at)
    found: Series = {
        **kube_state("kube_pod_status_ready_time", steady(ready), **state),
        **emitted.kubelet("container_memory_working_set_bytes", _memory(pod, tenant, at), **whose),
        **emitted.kubelet("container_cpu_usage_seconds_total", counter(2.0 * busy), **whose),
        **emitted.cgroups("container_memory_working_set_bytes", _memory(pod, tenant, at), **whose),
        **emitted.used_disk(wave(full * 10 * GIB, 0.2 * GIB, at), **whose),
        **_restarts(pod, state),
        **emitted.exporter(
            "corral_sandbox_idle_seconds",
            curve(lambda t: max(0.0, (t - 1.2) * 3600) if idle else 0.0),
            **labels,
        ),
        **emitted.exporter(
            "corral_sandbox_age_seconds", curve(lambda t: START + t * 3600 - created), **labels
        ),
        **emitted.exporter("corral_sandbox_age_limit_seconds", steady(24 * 3600), **labels),
        **emitted.exporter(
            "corral_sandbox_growth_bytes_per_hour",
            wave((180 if pod == "worker-3" else 3 + at) * (1 << 20), 1 << 20, at),
            **labels,
        ),
        **emitted.exporter("corral_sandbox_leak_suspect", steady(int(pod == "worker-3")), **labels),
    }
    if "worker" in pod:
        found |= _guest(at, pod, tenant)
    else:
        found |= emitted.cgroups("container_threads", wave(60 + 9 * at, 6, at), **whose)
    return found


def _restarts(pod: str, state: dict[str, str]) -> Series:
    bad = pod == "judge-1"
    found = kube_state(
        "kube_pod_container_status_restarts_total",
        curve(lambda t: math.floor(t * 4) if bad else 0.0),
        **state,
        container="agent",
    )
    if bad:
        found |= kube_state(
            "kube_pod_container_status_last_terminated_reason",
            since(0.3),
            **state,
            container="agent",
            reason="OOMKilled",
        )
    return found


def _guest(at: int, pod: str, tenant: str) -> Series:
    whose = {"name": pod, "namespace": f"agents-{tenant}", "sandbox": f"s-{tenant}-{at}"}
    total = 3.0 * GIB
    disk = 0.9 if pod == "worker-4" else 0.3
    claim = {"namespace": f"agents-{tenant}", "persistentvolumeclaim": f"{pod}-workspace"}
    volume = {"job": "kubelet", "metrics_path": "/metrics", "instance": "isolated-1:10250", **claim}
    return {
        **emitted.guest("kata_guest_meminfo", steady(total), item="mem_total", **whose),
        **emitted.guest(
            "kata_guest_meminfo",
            wave(0.45 * total, 0.1 * total, at),
            item="mem_available",
            **whose,
        ),
        **emitted.guest("kata_guest_tasks", wave(150 + 9 * at, 9, at), item="max", **whose),
        **{
            key: value
            for item, size in (("total", 20 * GIB), ("used", disk * 20 * GIB))
            for key, value in emitted.guest(
                "kata_guest_filesystem_bytes",
                steady(size),
                mount="/workspace",
                device="vdb",
                item=item,
                **whose,
            ).items()
        },
        **kube_state(
            "kube_pod_spec_volumes_persistentvolumeclaims_info",
            steady(1),
            pod=pod,
            volume="workspace",
            **claim,
        ),
        emitted.series("kubelet_volume_stats_used_bytes", volume): wave(
            disk * 20 * GIB, 0.1 * GIB, at
        ),
        emitted.series("kubelet_volume_stats_capacity_bytes", volume): steady(20 * GIB),
    }
