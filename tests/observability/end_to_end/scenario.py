"""A stack on which nearly all is wrong: one sandbox for each alert, each with one trouble."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from components.observability.inventory.inventory import sources
from components.observability.place import ObservabilityPlace, observability_place
from components.observability.rules.rule import Alert, Group
from components.observability.rules.rules import rule_groups
from components.observability.rules.sources_seen import KNOWN_BY
from corral.settings.loading import load_value
from corral.settings.stack import Settings
from tests.observability.end_to_end.replay import STEP, Line, Past, Source, lines
from tests.observability.end_to_end.scraping import target_labels
from tests.observability.rules.places import STACK
from tests.observability.rules.series import (
    Series,
    cgroups,
    guest,
    kube_state,
    kubelet,
    limit,
    pod,
    used_disk,
)

HOUR = 3600.0
RAW_PAST = HOUR
"""How far back sources' own series go: as far as a rule looks at them."""
DENSE_PAST = 300.0
"""How far back they were scraped as often as they will be: `rate` guesses less at an edge of its
window the denser its samples are."""
LEAK_PAST = 5 * HOUR
"""How far back a leak is known: two hours of growth, of what the hour before them left."""
RUNBOOKS = "https://git.example.org/corral/docs/runbooks"
UNSEEN = "cluster-dns"
"""The source that nobody finds."""


def settings(webhook: str) -> Settings:
    """The stack that rules are tried on, with two tenants and everybody told by webhook."""
    value: dict[str, Any] = {
        **STACK,
        "tenants": {
            name: {"tier": "container", "agents": {"reviewer": 20}} for name in ("acme", "globex")
        },
        "observability": {
            **STACK["observability"],
            "runbooks": RUNBOOKS,
            "alerts": {
                "receivers": {
                    "responder": {
                        "kind": "webhook",
                        "url": f"{webhook}/responder",
                        "token-secret": "responder-token",
                    },
                    "on-call": {"kind": "webhook", "url-secret": "on-call-address"},
                    "globex-desk": {"kind": "webhook", "url": f"{webhook}/globex-desk"},
                    "chat": {"kind": "slack", "channel": "#agents", "secret": "chat-address"},
                    "inbox": {"kind": "webhook", "url": f"{webhook}/inbox"},
                    "dead-man": {"kind": "webhook", "url": f"{webhook}/dead-man"},
                },
                "default": "inbox",
                "routes": [
                    {
                        "severity": ["critical", "warning"],
                        "receiver": "responder",
                        "continue": True,
                    },
                    {"severity": ["critical"], "receiver": "on-call"},
                    {"tenants": ["globex"], "receiver": "globex-desk"},
                    {"severity": ["warning"], "receiver": "chat"},
                ],
                "heartbeat": "dead-man",
            },
        },
    }
    return load_value(value, "Pulumi.metal.yaml")


def secrets(webhook: str) -> dict[str, str]:
    """Stack secrets."""
    return {
        "responder-token": "token-of-the-responder",
        "on-call-address": f"{webhook}/on-call",
        "chat-address": f"{webhook}/chat",
    }


def place_of(stack: Settings) -> ObservabilityPlace:
    """Its place."""
    found = observability_place(stack)
    assert found is not None
    return found


@dataclass(frozen=True, kw_only=True)
class Expected:
    """An alert that must come, and where to."""

    alert: str
    receivers: tuple[str, ...]
    labels: Mapping[str, str]
    """Some of its labels, by which it is known."""

    @property
    def name(self) -> str:
        """For whoever reads a failure."""
        return f"{self.alert} {dict(self.labels)}"


EVERYDAY, URGENT, OTHERS, REST = (
    ("responder", "chat"),
    ("responder", "on-call"),
    ("responder", "globex-desk"),
    ("inbox",),
)


def _of(
    alert: str,
    name: str,
    tier: str = "container",
    tenant: str = "acme",
    receivers: tuple[str, ...] = EVERYDAY,
) -> Expected:
    labels = {"pod": name, "namespace": f"agents-{tenant}", "tenant": tenant, "tier": tier}
    return Expected(alert=alert, receivers=receivers, labels=labels)


EXPECTED = (
    _of("SandboxMemoryHigh", "memory"),
    _of("SandboxMemoryHigh", "memory", tenant="globex", receivers=OTHERS),
    _of("SandboxGuestMemoryHigh", "guest-memory", "microvm"),
    _of("SandboxCPUHigh", "cpu", "gvisor"),
    _of("SandboxDiskHigh", "disk"),
    _of("SandboxVolumeHigh", "volume"),
    _of("SandboxGuestDiskHigh", "guest-disk", "microvm"),
    _of("SandboxMemoryLeak", "leak", "confidential"),
    _of("SandboxForkBomb", "fork-bomb", receivers=URGENT),
    _of("SandboxOOMKilled", "killed"),
    _of("SandboxRestarting", "restarting"),
    _of("SandboxPending", "pending", "microvm"),
    _of("SandboxQuarantined", "quarantined"),
    _of("SandboxClassUnknown", "unknown"),
    Expected(alert="SandboxIdle", receivers=REST, labels={"pod": "idle", "tenant": "acme"}),
    Expected(alert="WarmPoolEmpty", receivers=EVERYDAY, labels={"tenant": "acme", "pool": "warm"}),
    Expected(
        alert="MetricsSourceAbsent", receivers=URGENT, labels={"job": "coredns", "response": "0"}
    ),
    Expected(alert="NodeNotReady", receivers=EVERYDAY, labels={"node": "n9"}),
)
"""What fires by itself, all at once. What is done to one after the other is the story's."""

KILLED = tuple(
    Expected(alert=alert, receivers=URGENT, labels={"job": "corral-exporter"})
    for alert in ("MetricsSourceDown", "MetricsMissing")
)
"""What comes of it when the exporter is killed."""
OLD = _of("SandboxTooOld", "old")
"""Silenced before it fires."""


def _trouble(now: float) -> Series:
    acme, globex = "agents-acme", "agents-globex"
    working = "container_memory_working_set_bytes"
    created = "kube_pod_created"
    found: Series = {}
    for namespace in (acme, globex):
        found |= pod("memory", namespace=namespace)
        found |= limit("memory", 1000, name="memory", namespace=namespace)
        found |= kubelet(working, "900x1", name="memory", namespace=namespace)
    found |= pod("guest-memory", tier="microvm")
    found |= guest("kata_guest_meminfo", "1000x1", name="guest-memory", item="mem_total")
    found |= guest("kata_guest_meminfo", "50x1", name="guest-memory", item="mem_available")
    found |= pod("cpu", tier="gvisor") | limit("cpu", 1, name="cpu")
    found |= kubelet("container_cpu_usage_seconds_total", "100+14.7x1", name="cpu")
    found |= pod("disk") | limit("ephemeral_storage", 1000, name="disk")
    found |= used_disk("990x1", name="disk")
    found |= pod("volume") | kube_state(
        "kube_pod_spec_volumes_persistentvolumeclaims_info",
        "1x1",
        namespace=acme,
        pod="volume",
        volume="workspace",
        persistentvolumeclaim="work",
        ephemeral="",
    )
    for what, value in (("used", "990x1"), ("capacity", "1000x1")):
        found |= kubelet(
            f"kubelet_volume_stats_{what}_bytes",
            value,
            path="/metrics",
            name="",
            container="",
            persistentvolumeclaim="work",
        )
    found |= pod("guest-disk", tier="microvm")
    for item, value in (("total", "1000x1"), ("used", "950x1")):
        found |= guest(
            "kata_guest_filesystem_bytes",
            value,
            name="guest-disk",
            mount="/run/work",
            device="vdb",
            item=item,
            sandbox="s2",
        )
    found |= pod("leak", tier="confidential") | limit("memory", 1000, name="leak")
    found |= kubelet(working, f"{LEAK_NOW:g}+{LEAK_STEP:g}x1", name="leak")
    found |= pod("fork-bomb") | cgroups("container_threads", "1900x1", name="fork-bomb")
    found |= pod("killed") | kube_state(
        "kube_pod_container_status_terminated_reason",
        "1x1",
        namespace=acme,
        pod="killed",
        container="agent",
        reason="OOMKilled",
    )
    found |= pod("restarting") | kube_state(
        "kube_pod_container_status_restarts_total",
        "0+0.1x1",
        namespace=acme,
        pod="restarting",
        container="agent",
    )
    found |= pod("pending", tier="microvm")
    found |= kube_state(created, f"{now - HOUR:.0f}x1", namespace=acme, pod="pending")
    for phase in ("Pending", "Running", "Failed", "Succeeded", "Unknown"):
        found |= kube_state(
            "kube_pod_status_phase",
            f"{int(phase == 'Pending')}x1",
            namespace=acme,
            pod="pending",
            phase=phase,
        )
    found |= pod("old")
    found |= kube_state(created, f"{now - 48 * HOUR:.0f}x1", namespace=acme, pod="old")
    quarantined = kube_state(
        "kube_pod_labels",
        "1x1",
        namespace=acme,
        pod="quarantined",
        label_corral_dev_agent_class="reviewer",
        label_corral_dev_quarantine="true",
    )
    found |= quarantined | pod("unknown", agent_class="gone") | pod("idle")
    found |= _nodes()
    return found


def _nodes() -> Series:
    found: Series = {}
    for node, ready in (("n1", "true"), ("n9", "unknown")):
        found |= kube_state("kube_node_info", "1x1", namespace="", node=node)
        for status in ("true", "false", "unknown"):
            found |= kube_state(
                "kube_node_status_condition",
                f"{int(status == ready)}x1",
                namespace="",
                node=node,
                condition="Ready",
                status=status,
            )
    return found


LEAK_STEP = 0.15
"""Bytes in a quarter of a minute, of a container that may have 1,000: 36 an hour."""
LEAK_NOW = 450.0
"""At the beginning of what sources say themselves."""


def _leak_past() -> list[Past]:
    """What Prometheus itself recorded of the leak: series of rules, which no source says."""
    slope = LEAK_STEP / STEP
    labels = {
        "namespace": "agents-acme",
        "pod": "leak",
        "container": "agent",
        "tenant": "acme",
        "agent_class": "vault",
        "tier": "confidential",
    }
    minutes = range(int(RAW_PAST - LEAK_PAST), int(RAW_PAST), 60)

    def recorded(name: str, first: float, per_second: float) -> Past:
        of = Line(name=name, labels=labels, first=first, per_second=per_second)
        return Past(line=of, times=minutes)

    floor = LEAK_NOW - slope * HOUR
    grown = [
        Past(
            line=Line(
                name="sandbox:memory_growth:ratio_1h",
                labels=labels,
                first=(floor + slope * at) / (floor + slope * (at - HOUR)) - 1,
            ),
            times=(at,),
        )
        for at in minutes
    ]
    return [
        recorded("sandbox:memory_working_set:bytes", LEAK_NOW, slope),
        recorded("sandbox:memory_usage:ratio", LEAK_NOW / 1000, slope / 1000),
        recorded("sandbox:memory_floor:bytes_1h", floor, slope),
        *grown,
    ]


class Scenario:
    """What each source says from now on, and what Prometheus knows of the time before."""

    def __init__(self) -> None:
        self.now = time.time()
        self.began = self.now - RAW_PAST
        """When the lines of the replay have their first values."""
        self.sources = {source.name: Source() for source in sources()}
        for name in ("kubelet-resource", "kubelet-cadvisor"):
            self.sources[name].stamped = True
        by_job = {(each.job, each.metrics_path): each.name for each in sources()}
        told = lines(_trouble(self.now))
        for each in told:
            labels = each.labels
            name = by_job[labels["job"], labels.get("metrics_path", "")]
            self.sources[name].lines.append(each)
        for name, (_, metric) in KNOWN_BY.items():
            said = self.sources[name].lines
            if metric and all(each.name != metric for each in said):
                said.append(Line(name=metric, labels={}, first=1.0))

    @property
    def instances(self) -> dict[str, tuple[str, ...]]:
        """Targets of each source, by its name."""
        found = {
            name: sorted({each.labels.get("instance", "") for each in said.lines} - {""})
            for name, said in self.sources.items()
        }
        return {name: tuple(several) for name, several in found.items() if several}

    def pasts(self) -> list[Past]:
        """Series as they would have been kept: of counters, which rules look back on, and of what
        rules recorded themselves."""
        steps = [
            *(at * STEP for at in range(int((RAW_PAST - DENSE_PAST) / STEP))),
            *range(int(RAW_PAST - DENSE_PAST), int(RAW_PAST)),
        ]
        found = _leak_past()
        for source in sources():
            for each in self.sources[source.name].lines:
                if each.per_second:
                    labels = {**target_labels(source), **each.labels}
                    found.append(Past(line=replace(each, labels=labels), times=steps))
        return found


def group_of(groups: list[Group], alert: str) -> tuple[Group, Alert]:
    """The group that an alert is in, and the first rule of that name."""
    return next((group, rule) for group in groups for rule in group.alerts if rule.name == alert)


def groups_of(place: ObservabilityPlace) -> list[Group]:
    """All rules that the stack has."""
    return rule_groups(place)
