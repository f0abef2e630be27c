"""Fences around the egress itself: what a gateway that was taken over could reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.documents import Document
from components.network.policies.places import (
    CONTROL,
    CONTROL_PORT,
    EGRESS_NAMESPACE,
    GATEWAY,
    RESOLVER,
    part,
)
from components.network.policies.refused import ClusterRanges
from components.network.policies.tier import (
    ALLOWED_ORDER,
    REFUSED_ORDER,
    logged_denial,
    policy,
    rule,
)

DNS_PORT = 53


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """What lies beyond the egress: DNS servers (addresses) that gateways ask, hosts of the
    platform's owner (networks and ports, by a name), the API server's networks, and who reads
    figures (a selector of namespaces; nobody when empty)."""

    dns: Sequence[str]
    private: Mapping[str, tuple[Sequence[str], Sequence[int]]] = field(default_factory=dict)
    api_server: Sequence[str] = ()
    metrics_readers: str = ""
    metrics_ports: Sequence[int] = ()


def fence_policies(ranges: ClusterRanges, beyond: Beyond) -> list[Document]:
    """For gateway, resolver and control plane: in both directions, and nothing else is allowed."""
    return [_gateway(ranges, beyond), _resolver(beyond), _control(beyond)]


def _gateway(ranges: ClusterRanges, beyond: Beyond) -> Document:
    """The internet, but nothing private: the second wall behind Envoy's own filter."""
    servers = [_one_address(address) for address in beyond.dns]
    allowed = [
        rule(
            "dns-upstream",
            "Allow",
            protocol=protocol,
            destination={"nets": servers, "ports": [DNS_PORT]},
        )
        for protocol in ("UDP", "TCP")
    ]
    allowed.append(_to_control())
    allowed += [
        rule(
            f"private-{name}",
            "Allow",
            protocol="TCP",
            destination={"nets": list(networks), "ports": list(ports)},
        )
        for name, (networks, ports) in sorted(beyond.private.items())
    ]
    refused = [
        each
        for name, networks in ranges.refused().items()
        for version, mark in ((4, "."), (6, ":"))
        if (nets := [network for network in networks if mark in network])
        for each in logged_denial(name, ipVersion=version, destination={"nets": nets})
    ]
    internet = rule("internet", "Allow", protocol="TCP", destination={"nets": ["0.0.0.0/0"]})
    return policy(
        "gateway",
        namespace=EGRESS_NAMESPACE,
        order=REFUSED_ORDER,
        egress=[*allowed, *refused, internet, *logged_denial("not-tcp")],
        ingress=[*_metrics(beyond), *logged_denial("nobody-else")],
        selector=part(GATEWAY),
    )


def _resolver(beyond: Beyond) -> Document:
    """It answers, and asks nobody but its control plane: there is nothing to forward to."""
    return policy(
        "resolver",
        namespace=EGRESS_NAMESPACE,
        order=REFUSED_ORDER,
        egress=[_to_control(), *logged_denial("forwards-nothing")],
        ingress=[*_metrics(beyond), *logged_denial("nobody-else")],
        selector=part(RESOLVER),
    )


def _control(beyond: Beyond) -> Document:
    """It serves gateways and resolvers, and watches the API server."""
    selector = f"{part(GATEWAY)} || {part(RESOLVER)}"
    return policy(
        "control",
        namespace=EGRESS_NAMESPACE,
        order=ALLOWED_ORDER,
        egress=[
            rule("api-server", "Allow", protocol="TCP", destination={"nets": [*beyond.api_server]}),
            *logged_denial("nothing-else"),
        ],
        ingress=[
            rule(
                "gateways-and-resolvers",
                "Allow",
                protocol="TCP",
                source={"selector": selector},
                destination={"ports": [CONTROL_PORT]},
            ),
            *_metrics(beyond),
            *logged_denial("nobody-else"),
        ],
        selector=part(CONTROL),
    )


def _to_control() -> Document:
    where = {"selector": part(CONTROL), "ports": [CONTROL_PORT]}
    return rule("control-plane", "Allow", protocol="TCP", destination=where)


def _metrics(beyond: Beyond) -> list[Document]:
    if not beyond.metrics_readers:
        return []
    return [
        rule(
            "metrics",
            "Allow",
            protocol="TCP",
            source={"namespaceSelector": beyond.metrics_readers},
            destination={"ports": list(beyond.metrics_ports)},
        )
    ]


def _one_address(address: str) -> str:
    return f"{address}/128" if ":" in address else f"{address}/32"
