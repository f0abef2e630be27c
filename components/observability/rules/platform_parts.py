"""The platform's own Deployments: down, fewer than there should be, all in one zone."""

from __future__ import annotations

from components.network.inbound.places import NAMESPACE as INGRESS_NAMESPACE
from components.network.policies.places import EGRESS_NAMESPACE
from components.observability.place import ObservabilityPlace
from components.observability.rules.rule import Alert, Group, Rule, Severity
from corral.settings.observability import NAMESPACE


def part_rules(place: ObservabilityPlace) -> Group:
    """Of all namespaces of the platform that the stack has."""
    return Group(name="platform-parts", rules=(*_recorded(place), *_alerts()))


def _namespaces(place: ObservabilityPlace) -> str:
    found = [NAMESPACE]
    if place.egress is not None:
        found.append(EGRESS_NAMESPACE)
    if place.inbound is not None:
        found.append(INGRESS_NAMESPACE)
    return "|".join(found)


def _recorded(place: ObservabilityPlace) -> tuple[Rule, ...]:
    ours = f'{{namespace=~"{_namespaces(place)}"}}'
    zone = '"zone", "$1", "label_topology_kubernetes_io_zone", "(.+)"'
    deployment = '"deployment", "$1", "created_by_name", "(.+)-[^-]+"'
    return (
        *(
            Rule(
                record=f"platform:deployment_{what}:count",
                expr=f"max by (namespace, deployment) ({metric}{ours})",
            )
            for what, metric in (
                ("available", "kube_deployment_status_replicas_available"),
                ("wanted", "kube_deployment_spec_replicas"),
            )
        ),
        Rule(
            record="node:zone:info",
            expr=f"max by (node, zone) (label_replace(kube_node_labels, {zone}))",
        ),
        Rule(
            record="platform:deployment_zone:count",
            expr="count by (namespace, deployment, zone) (max by (namespace, deployment, pod, node)"
            f" (label_replace(kube_pod_info{ours}, {deployment}))"
            " * on (node) group_left (zone) node:zone:info)",
        ),
    )


def _alerts() -> tuple[Alert, ...]:
    return (
        Alert(
            name="PlatformPartDown",
            expr="platform:deployment_available:count == 0 and platform:deployment_wanted:count"
            " > 0",
            hold="1m",
            severity=Severity.CRITICAL,
            summary="{{ $labels.namespace }}/{{ $labels.deployment }} is down",
            description="None of its pods is ready. What that part does isn't done for anybody.",
            action="Read its pods' events and the last lines of their logs (kubectl describe, "
            "kubectl logs --previous).",
        ),
        Alert(
            name="PlatformPartDegraded",
            expr="platform:deployment_available:count < platform:deployment_wanted:count",
            hold="30m",
            severity=Severity.WARNING,
            summary="{{ $labels.namespace }}/{{ $labels.deployment }} lacks pods",
            description="{{ $value }} are ready, fewer than it should have, for longer than a "
            "change takes.",
            action="See why the others aren't ready: no room, no node of the pool, an image.",
        ),
        Alert(
            name="PlatformPartInOneZone",
            expr="count by (namespace, deployment) (platform:deployment_zone:count) == 1\n"
            "and sum by (namespace, deployment) (platform:deployment_zone:count) > 1\n"
            "and on () count(count by (zone) (node:zone:info)) > 1",
            hold="15m",
            severity=Severity.WARNING,
            summary="All of {{ $labels.namespace }}/{{ $labels.deployment }} is in one zone",
            description="It has several pods, and the loss of one zone would end them all.",
            action="See whether the other zones have nodes with room, then delete one of its pods.",
        ),
    )
