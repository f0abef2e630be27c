"""Fences around the egress itself: what a gateway that was taken over could reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.documents import Document
from components.network.gateway.bootstrap import HEALTH_PORT
from components.network.policies.places import (
    API_SERVER,
    CONTROL,
    CONTROL_METRICS_PORT,
    CONTROL_PORT,
    EGRESS_NAMESPACE,
    GATEWAY,
    RESOLVER,
    namespace,
    part,
)
from components.network.policies.refused import ClusterRanges, network_denials, never_denials
from components.network.policies.tier import (
    LAST_ORDER,
    REFUSED_ORDER,
    logged_denial,
    policy,
    rule,
)
from components.network.resolver.corefile import METRICS_PORT
from corral.settings.egress import CLOSED_PORTS

DNS_PORT = 53
API_SERVER_PORTS = (443, 6443)
FIGURES: Mapping[str, int] = {
    GATEWAY: HEALTH_PORT,
    RESOLVER: METRICS_PORT,
    CONTROL: CONTROL_METRICS_PORT,
}
"""Where their figures are read."""

INTERNET = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """What lies beyond the egress."""

    dns: Sequence[str] = ()
    """DNS servers that gateways ask, each an address of its own and not a Service's."""
    private: Mapping[str, tuple[Sequence[str], Sequence[int]]] = field(default_factory=dict)
    """Hosts of the platform's owner: networks and ports, by a name."""
    metrics_readers: str = ""
    """The namespace whose pods read figures; nobody when empty."""
    api_server: Sequence[str] = ()
    """The API server's networks, for clusters without Calico alone: Kubernetes' own policies can't
    speak of a Service."""


def fence_policies(ranges: ClusterRanges, beyond: Beyond) -> list[Document]:
    """For gateway, resolver and control plane, in both directions; and whatever else is in their
    namespace is closed."""
    return [
        gateway_fence(ranges, beyond),
        _resolver(beyond),
        _control(beyond),
        policy(
            "nothing-else",
            namespace=EGRESS_NAMESPACE,
            order=LAST_ORDER,
            egress=logged_denial("no-part-of-the-egress"),
            ingress=logged_denial("no-part-of-the-egress"),
            selector="all()",
        ),
    ]


def gateway_fence(ranges: ClusterRanges, beyond: Beyond) -> Document:
    """The internet, but nothing private: the second wall behind Envoy's own filter."""
    private = [
        rule(
            f"private-{name}",
            "Allow",
            protocol="TCP",
            destination={"nets": list(networks), "ports": list(ports)},
        )
        for name, (networks, ports) in sorted(beyond.private.items())
    ]
    return policy(
        "gateway",
        namespace=EGRESS_NAMESPACE,
        order=REFUSED_ORDER,
        egress=[
            *_dns(beyond),
            _to_control(),
            *never_denials(),
            *private,
            *network_denials(ranges.refused()),
            *logged_denial(
                "closed-ports", protocol="TCP", destination={"ports": sorted(CLOSED_PORTS)}
            ),
            rule("internet", "Allow", protocol="TCP", destination={"nets": [INTERNET]}),
            *logged_denial("not-tcp"),
        ],
        ingress=[*_figures(GATEWAY, beyond), *logged_denial("nobody-else")],
        selector=part(GATEWAY),
    )


def _resolver(beyond: Beyond) -> Document:
    """It answers, and asks nobody but its control plane: there is nothing to forward to."""
    return policy(
        "resolver",
        namespace=EGRESS_NAMESPACE,
        order=REFUSED_ORDER,
        egress=[_to_control(), *logged_denial("forwards-nothing")],
        ingress=[*_figures(RESOLVER, beyond), *logged_denial("nobody-else")],
        selector=part(RESOLVER),
    )


def _control(beyond: Beyond) -> Document:
    """It serves gateways and resolvers, and watches the API server."""
    return policy(
        "control",
        namespace=EGRESS_NAMESPACE,
        order=REFUSED_ORDER,
        egress=[
            rule("api-server", "Allow", destination={"services": dict(API_SERVER)}),
            *logged_denial("nothing-else"),
        ],
        ingress=[
            rule(
                "gateways-and-resolvers",
                "Allow",
                protocol="TCP",
                source={"selector": f"{part(GATEWAY)} || {part(RESOLVER)}"},
                destination={"ports": [CONTROL_PORT]},
            ),
            *_figures(CONTROL, beyond),
            *logged_denial("nobody-else"),
        ],
        selector=part(CONTROL),
    )


def _dns(beyond: Beyond) -> list[Document]:
    if not beyond.dns:
        return []
    place = {"nets": [one_address(each) for each in beyond.dns], "ports": [DNS_PORT]}
    return [
        rule("dns-upstream", "Allow", protocol=protocol, destination=place)
        for protocol in ("UDP", "TCP")
    ]


def _to_control() -> Document:
    where = {"selector": part(CONTROL), "ports": [CONTROL_PORT]}
    return rule("control-plane", "Allow", protocol="TCP", destination=where)


def _figures(where: str, beyond: Beyond) -> list[Document]:
    if not beyond.metrics_readers:
        return []
    return [
        rule(
            "figures",
            "Allow",
            protocol="TCP",
            source={"namespaceSelector": namespace(beyond.metrics_readers)},
            destination={"ports": [FIGURES[where]]},
        )
    ]


def one_address(address: str) -> str:
    """An address as a network."""
    return f"{address}/128" if ":" in address else f"{address}/32"
