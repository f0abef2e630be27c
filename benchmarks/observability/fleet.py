"""A fleet of sandboxes as its sources show it: every metric of the inventory with its real labels,
and what else comes along with them and is kept. Numbers change from scrape to scrape."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from components.observability.inventory.inventory import all_metrics
from components.observability.inventory.metric import Kind, Metric
from corral.settings.tiers import Tier
from tests.observability.end_to_end.replay import OWN, Line, Past, Replay
from tests.observability.rules.series import CLASS, RUNTIME

SANDBOXES, TENANTS, NODES = 1000, 50, 100
PAST_SECONDS = 3 * 3600
"""How far back what rules recorded is known."""
SCRAPE, MINUTE = 15, 60
SHARES = {Tier.CONTAINER: 0.3, Tier.GVISOR: 0.5, Tier.MICROVM: 0.15, Tier.CONFIDENTIAL: 0.05}
LIMITS = {"cpu": 2.0, "memory": 4e9, "ephemeral_storage": 2e10}
PLATFORM_PARTS = 30
"""Deployments and their pods beside sandboxes."""


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """One of the fleet."""

    number: int
    tier: Tier

    @property
    def labels(self) -> dict[str, str]:
        """What sources call it by."""
        number, tenant = self.number, f"team-{self.number % TENANTS}"
        return {
            "namespace": f"agents-{tenant}",
            "pod": f"sandbox-{number:05d}-7d9f8c6b5-x2x9z",
            "uid": f"00000000-0000-4000-8000-{number:012d}",
            "container": "agent",
            "node": f"node-{number % NODES}",
            "tenant": tenant,
            "agent_class": CLASS[self.tier],
            "pod_namespace": f"agents-{tenant}",
            "pod_name": f"sandbox-{number:05d}-7d9f8c6b5-x2x9z",
            "node_name": f"node-{number % NODES}",
            "cri_namespace": f"agents-{tenant}",
            "cri_name": f"sandbox-{number:05d}-7d9f8c6b5-x2x9z",
            "cri_uid": f"00000000-0000-4000-8000-{number:012d}",
            "sandbox_id": f"{number:064x}",
            "id": f"/kubepods.slice/kubepods-pod{number:032x}.slice/cri-{number:064x}.scope",
            "image": f"registry.example.org/agents/agent@sha256:{0:064x}",
            "name": f"{number:064x}",
            "runtimeclass_name": RUNTIME[self.tier],
            "label_corral_dev_agent_class": CLASS[self.tier],
            "created_by_kind": "Sandbox",
            "created_by_name": f"sandbox-{number:05d}",
            "priority_class": f"agent-{CLASS[self.tier]}",
            "container_id": f"containerd://{number:064x}",
            "persistentvolumeclaim": f"work-{number:05d}",
            "volume": "workspace",
            "ephemeral": "",
        }


def fleet() -> Iterator[Sandbox]:
    """All of it, tier after tier."""
    number = 0
    for tier, share in SHARES.items():
        for _ in range(round(SANDBOXES * share)):
            yield Sandbox(number=number, tier=tier)
            number += 1


SEVERAL: Mapping[str, tuple[str, ...]] = {
    "resource": tuple(LIMITS),
    "phase": ("Pending", "Running", "Succeeded", "Failed", "Unknown"),
    "condition": ("true", "false", "unknown"),
    "state": ("busy", "idle", "safe", "unknown", "pending", "suspended"),
    "level": ("1", "2", "3"),
    "wall": ("gateway", "network"),
}
"""Labels of which a source gives one series for each value."""
ITEMS = {
    "kata_guest_meminfo": ("mem_total", "mem_free", "mem_available", "cached", "slab", "mapped"),
    "kata_guest_tasks": ("cur", "max"),
    "kata_guest_filesystem_bytes": ("total", "used", "free"),
    "kata_guest_filesystem_inodes": ("total", "used", "free"),
    "kata_guest_cpu_time": ("user", "system", "idle", "iowait"),
    "kata_guest_netdev_stat": ("recv_bytes", "sent_bytes", "recv_packets", "sent_packets"),
    "kata_guest_vm_stat": ("pgfault", "pgmajfault", "oom_kill"),
    "kata_guest_diskstat": ("reads", "writes", "sectors_read", "sectors_written"),
    "kata_guest_load": ("load1", "load5", "load15"),
}
RARE = frozenset(
    {
        "kube_pod_status_unschedulable",
        "kube_pod_container_status_last_terminated_reason",
        "kube_pod_container_status_terminated_reason",
        "kube_pod_container_status_waiting_reason",
        "corral_sandbox_growth_bytes_per_hour",
    }
)
"""Of sandboxes with which something is the matter: one in fifty here."""
ALSO = {
    "kube-state-metrics": (
        *("kube_pod_owner", "kube_pod_restart_policy", "kube_pod_service_account", "kube_pod_ips"),
        *("kube_pod_annotations", "kube_pod_scheduler", "kube_pod_status_qos_class"),
        *("kube_pod_status_scheduled_time", "kube_pod_status_container_ready_time"),
        *("kube_pod_status_initialized_time", "kube_pod_status_scheduled", "kube_pod_tolerations"),
        *("kube_pod_container_state_started", "kube_pod_container_status_ready"),
        *("kube_pod_container_status_running", "kube_pod_container_status_terminated"),
        *("kube_pod_container_status_waiting", "kube_pod_status_ready_time"),
    ),
    "kubelet-cadvisor": (
        *("container_memory_rss", "container_memory_cache", "container_memory_usage_bytes"),
        *("container_processes", "container_sockets", "container_start_time_seconds"),
        *("container_last_seen", "container_fs_reads_total", "container_fs_writes_total"),
        *("container_fs_reads_bytes_total", "container_fs_writes_bytes_total"),
        *("container_fs_usage_bytes", "container_fs_limit_bytes"),
        *("container_network_receive_bytes_total", "container_network_transmit_bytes_total"),
        *("container_network_receive_packets_total", "container_network_transmit_packets_total"),
        *("container_network_receive_errors_total", "container_network_transmit_errors_total"),
    ),
}
"""Names that no rule reads, and that come along and are kept: one series each for a sandbox."""
OF_SANDBOXES = frozenset(
    {
        *("kubelet-resource", "kubelet-cadvisor", "kubelet-volumes", "kube-state-metrics"),
        *("kata-monitor", "ephemeral-storage", "corral-exporter"),
    }
)
"""Sources that speak of sandboxes; of the others `pod` is their own."""
POD_LABELS = ("pod", "pod_name", "cri_name", "persistentvolumeclaim")


@dataclass(frozen=True, kw_only=True)
class Moving:
    """One series and how it moves."""

    prefix: str
    base: float
    per_second: float = 0.0
    swing: float = 0.0

    def text(self, seconds: float) -> str:
        """Its line."""
        value = self.base + self.per_second * seconds
        if self.swing:
            value += self.swing * math.sin(seconds / 97 + self.base)
        return f"{self.prefix}{value:.12g}\n"


class Fleet(Replay):
    """Serves the fleet; kubelets by node."""

    def __init__(self, began: float) -> None:
        super().__init__({}, began)
        self._since = began
        self._said: dict[tuple[str, str], list[Moving]] = {}
        sandboxes = list(fleet())
        for metric in all_metrics():
            for node, each in _series(metric, sandboxes, began):
                part = node if metric.source.name.startswith("kubelet") else ""
                self._said.setdefault((metric.source.name, part), []).append(each)
        for source, names in ALSO.items():
            for sandbox in sandboxes:
                part = sandbox.labels["node"] if source.startswith("kubelet") else ""
                held = {key: sandbox.labels[key] for key in ("namespace", "pod", "container", "id")}
                self._said[source, part] += [_moving(name, held, sandbox.number) for name in names]

    @property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """Targets of each source that has several."""
        return {
            source: tuple(sorted(part for name, part in self._said if name == source))
            for source in {name for name, part in self._said if part}
        }

    def text(self, source: str, part: str, now: float) -> str:
        """What that target says at that time."""
        seconds = now - self._since
        said = "".join(each.text(seconds) for each in self._said.get((source, part), ()))
        if source in ("kubelet-resource", "kubelet-cadvisor"):
            return said.replace("\n", f" {round(1000 * now)}\n")
        return said


def _series(
    metric: Metric, sandboxes: Iterable[Sandbox], now: float
) -> Iterator[tuple[str, Moving]]:
    if metric.source.name not in OF_SANDBOXES or not set(metric.labels) & set(POD_LABELS):
        yield from _others(metric)
        return
    whole_pod = 'container=""' in metric.matchers
    for sandbox in sandboxes:
        if sandbox.tier not in metric.tiers:
            continue
        if metric.name in RARE and sandbox.number % 50:
            continue
        known = sandbox.labels
        fixed = {key: known[key] for key in metric.labels if key in known}
        if whole_pod:
            fixed.pop("container", None)
        names = [key for key in metric.labels if key not in known]
        for values in product(*(_values(metric.name, key) for key in names)):
            labels = {**fixed, **dict(zip(names, values, strict=True))}
            yield known["node"], _told(metric, labels, sandbox, now)


def _others(metric: Metric) -> Iterator[tuple[str, Moving]]:
    """Of tenants, nodes, and parts of the platform."""
    if "tenant" in metric.labels:
        things = [{"tenant": f"team-{number}"} for number in range(TENANTS)]
    elif "node" in metric.labels and metric.source.name in OF_SANDBOXES:
        things = [{"node": f"node-{number}"} for number in range(NODES)]
    elif "namespace" in metric.labels and metric.source.name in OF_SANDBOXES:
        things = [{"namespace": f"corral-{number}"} for number in range(PLATFORM_PARTS)]
    else:
        things = [{}]
    for number, thing in enumerate(things):
        names = [key for key in metric.labels if key not in thing and key not in TARGETS]
        for values in product(*(_values(metric.name, key) for key in names)):
            labels = {**thing, **dict(zip(names, values, strict=True))}
            yield f"node-{number % NODES}", _moving(metric.name, labels, number)


TARGETS = ("namespace", "pod", "service", "container", "endpoint")
"""Labels that Prometheus gives to what a part of the platform says of itself."""


def _values(name: str, label: str) -> tuple[str, ...]:
    if label == "item":
        return ITEMS.get(name, ("value",))
    if label.startswith("label_"):
        return ("",)
    return SEVERAL.get(label, (f"{label}-0",))


def _told(metric: Metric, labels: dict[str, str], sandbox: Sandbox, now: float) -> Moving:
    prefix = prefix_of(metric.name, labels)
    number = sandbox.number
    if metric.name == "container_memory_working_set_bytes":
        return Moving(prefix=prefix, base=memory(number), per_second=growth(number), swing=2e7)
    if metric.name == "kube_pod_container_resource_limits":
        return Moving(prefix=prefix, base=LIMITS[labels["resource"]])
    if metric.name == "kube_pod_status_phase":
        return Moving(prefix=prefix, base=float(labels["phase"] == "Running"))
    if metric.name in ("kube_pod_created", "kube_pod_start_time", "kube_pod_status_ready_time"):
        return Moving(prefix=prefix, base=now - 4 * 3600 - number)
    if metric.name.endswith(("_info", "_labels", "_reason")):
        return Moving(prefix=prefix, base=1)
    return _moving(metric.name, labels, number, counts=metric.kind is Kind.COUNTER)


def _moving(name: str, labels: dict[str, str], number: int, *, counts: bool = False) -> Moving:
    prefix = prefix_of(name, labels)
    if counts or name.endswith("_total"):
        rate = 0.0 if "restarts" in name or "oom" in name else 0.1 + number % 7 / 10
        return Moving(prefix=prefix, base=100.0 + number, per_second=rate)
    return Moving(prefix=prefix, base=100.0 + number, swing=1.0 + number % 10)


def prefix_of(name: str, labels: Mapping[str, str]) -> str:
    """Up to the value."""
    held = ",".join(
        f"{key}={json.dumps(value)}" for key, value in labels.items() if value and key not in OWN
    )
    return f"{name}{{{held}}} "


def memory(number: int) -> float:
    """Bytes of a sandbox at first: from a quarter of its limit to three."""
    return LIMITS["memory"] * (0.25 + 0.5 * (number % 100) / 100)


def growth(number: int) -> float:
    """Bytes a second: one in fifty leaks."""
    return 1e4 if number % 50 == 0 else 0.0


def pasts() -> Iterator[Past]:
    """What rules recorded of each sandbox in the hours before: what long windows read."""
    for sandbox in fleet():
        keys = ("namespace", "pod", "container", "tenant", "agent_class")
        labels = {**{key: sandbox.labels[key] for key in keys}, "tier": str(sandbox.tier)}
        first, slope = memory(sandbox.number), growth(sandbox.number)
        scrapes = range(-PAST_SECONDS, 0, SCRAPE)
        minutes = range(-PAST_SECONDS, 0, MINUTE)
        for name, share, times in (
            ("sandbox:memory_working_set:bytes", 1.0, scrapes),
            ("sandbox:memory_usage:ratio", 1 / LIMITS["memory"], scrapes),
            ("sandbox:memory_floor:bytes_1h", 1.0, minutes),
            ("sandbox:memory_growth:ratio_1h", 1e-11, minutes),
        ):
            line = Line(name=name, labels=labels, first=first * share, per_second=slope * share)
            yield Past(line=line, times=times)
