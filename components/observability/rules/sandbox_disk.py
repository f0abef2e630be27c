"""Disks that fill: a sandbox's own on its node, its volumes, and file systems inside of a guest."""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.kata_guest import guest, of_guest
from components.observability.rules.rule import Alert, Group, Rule, Severity
from components.observability.rules.sandboxes_known import IN_TENANTS, OF_SANDBOX
from components.observability.rules.thresholds import OVER, by_value, hold, threshold
from corral.settings.tenants import NAMESPACE_PREFIX
from corral.settings.tiers import Tier

_SEEN_ON_NODE = frozenset({Tier.CONTAINER, Tier.GVISOR, Tier.MICROVM})
_USED = guest("kata_guest_filesystem_bytes", 'item="used"')
_TOTAL = guest("kata_guest_filesystem_bytes", 'item="total"')


def disk_rules(place: ObservabilityPlace) -> Group:
    """Use of the three kinds of disk, and their alerts."""
    return Group(
        name="sandbox-disk",
        rules=(*_recorded(), *_alerts(place)),
    )


def _recorded() -> tuple[Rule, ...]:
    return (
        Rule(
            record="sandbox:disk_limit:bytes",
            expr="sum by (namespace, pod) (max by (namespace, pod, container) ("
            'kube_pod_container_resource_limits{resource="ephemeral_storage", '
            + IN_TENANTS
            + "} > 0))",
        ),
        Rule(
            record="sandbox:disk_used:bytes",
            expr="max by (namespace, pod) (label_replace(label_replace(\n"
            f'  ephemeral_storage_pod_usage{{pod_namespace=~"{NAMESPACE_PREFIX}.+"}},\n'
            '    "namespace", "$1", "pod_namespace", "(.*)"), "pod", "$1", "pod_name", "(.*)"))\n'
            f"{OF_SANDBOX}",
        ),
        Rule(
            record="sandbox:disk_usage:ratio",
            expr="sandbox:disk_used:bytes"
            " / on (namespace, pod) group_left () sandbox:disk_limit:bytes",
        ),
        Rule(
            record="sandbox:volume_usage:ratio",
            expr="max by (namespace, pod, persistentvolumeclaim) ("
            "kube_pod_spec_volumes_persistentvolumeclaims_info{" + IN_TENANTS + "})\n"
            "* on (namespace, persistentvolumeclaim) group_left ()\n"
            "  max by (namespace, persistentvolumeclaim) (\n"
            '    kubelet_volume_stats_used_bytes{metrics_path="/metrics", ' + IN_TENANTS + "}\n"
            '    / (kubelet_volume_stats_capacity_bytes{metrics_path="/metrics", '
            + IN_TENANTS
            + "} > 0))\n"
            f"{OF_SANDBOX}",
        ),
        Rule(
            record="sandbox:guest_disk_usage:ratio",
            expr=of_guest(f"{_USED} / ignoring (item) ({_TOTAL} > 0)", "mount", "device"),
        ),
    )


def _alerts(place: ObservabilityPlace) -> list[Alert]:
    found: list[Alert] = []
    for seconds, classes in by_value(place, lambda t: t.disk_for):
        found += [
            Alert(
                name="SandboxDiskHigh",
                expr=f"sandbox:disk_usage:ratio > {threshold('disk_ratio', classes)}",
                hold=hold(seconds),
                labels={OVER: hold(seconds)},
                severity=Severity.WARNING,
                tiers=_SEEN_ON_NODE,
                blind={
                    Tier.CONFIDENTIAL: "its files are in the guest's encrypted memory or disk: "
                    "nothing of them is on the node, and nobody measures them"
                },
                summary="{{ $labels.namespace }}/{{ $labels.pod }} has nearly filled its disk",
                description="It uses {{ $value | humanizePercentage }} of its ephemeral storage: "
                "files it wrote, its logs, emptyDir. Above its limit the kubelet evicts it, and "
                "what isn't in a volume is lost.",
                action="Have it cleaned (package caches, build output) or moved to its workspace; "
                "give its class more disk if that is its work.",
            ),
            Alert(
                name="SandboxVolumeHigh",
                expr=f"sandbox:volume_usage:ratio > {threshold('disk_ratio', classes)}",
                hold=hold(seconds),
                labels={OVER: hold(seconds)},
                severity=Severity.WARNING,
                tiers=_SEEN_ON_NODE,
                blind={
                    Tier.CONFIDENTIAL: "the guest mounts its volumes: the node sees a device, and "
                    "not how full it is"
                },
                summary="Volume {{ $labels.persistentvolumeclaim }} of {{ $labels.namespace }}/"
                "{{ $labels.pod }} is nearly full",
                description="{{ $value | humanizePercentage }} of it is in use. When it is full, "
                "writes fail; nothing is evicted.",
                action="Have it cleaned, or enlarge the claim.",
            ),
            Alert(
                name="SandboxGuestDiskHigh",
                expr=f"sandbox:guest_disk_usage:ratio > {threshold('disk_ratio', classes)}",
                hold=hold(seconds),
                labels={OVER: hold(seconds)},
                severity=Severity.WARNING,
                tiers=frozenset({Tier.MICROVM}),
                blind={
                    Tier.CONTAINER: "no guest: SandboxDiskHigh and SandboxVolumeHigh say it",
                    Tier.GVISOR: "its files are the node's: SandboxDiskHigh says it",
                    Tier.CONFIDENTIAL: "the guest refuses to tell",
                },
                summary="{{ $labels.mount }} in the guest of {{ $labels.namespace }}/"
                "{{ $labels.pod }} is nearly full",
                description="{{ $value | humanizePercentage }} of device {{ $labels.device }} is "
                "in use, inside of the virtual machine.",
                action="Have it cleaned from inside; a guest's disk doesn't grow while it runs.",
            ),
        ]
    return found
