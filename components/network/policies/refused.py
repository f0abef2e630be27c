"""What no sandbox reaches, whoever allows what after that: each kind by name, denied and logged.

The tier would deny all of it at its end anyway. Named, a denial tells an operator what was tried,
and an allowance that is written too widely one day opens none of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.documents import Document
from components.network.gateway.denied import DENIED
from components.network.inbound.places import NAMESPACE as INGRESS_NAMESPACE
from components.network.policies.places import (
    API_SERVER,
    EGRESS_NAMESPACE,
    QUARANTINE_LABEL,
    SANDBOXES,
    namespace,
)
from components.network.policies.tier import (
    QUARANTINE_ORDER,
    REFUSED_ORDER,
    logged_denial,
    policy,
)

PLATFORM = (EGRESS_NAMESPACE, INGRESS_NAMESPACE)
"""Namespaces of what stands between sandboxes and the world."""

METADATA: Mapping[str, Sequence[str]] = {
    "metadata": ("169.254.0.0/16", "fd00:ec2::254/128", "fd00:ec2::23/128"),
}
"""IMDS, Pod Identity, ECS' and the time service's addresses."""

_NAMED: Mapping[str, Sequence[str]] = {
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "carrier-nat": ("100.64.0.0/10",),
    "link-local": ("fe80::/10",),
    "loopback": ("0.0.0.0/8", "127.0.0.0/8", "::/96"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
}

_NEVER_IN_A_PACKET = "::ffff:0:0/96"
"""And Calico would read it as a network of IPv4."""


def _special() -> tuple[str, ...]:
    named = {net for some in (METADATA, _NAMED) for nets in some.values() for net in nets}
    return tuple(each for each in DENIED if each not in {*named, _NEVER_IN_A_PACKET})


PRIVATE: Mapping[str, Sequence[str]] = {**_NAMED, "special": _special()}
"""Networks that aren't the internet, by the name of the rule that refuses them: all those that the
gateway takes no answers from."""

PORTS: Mapping[str, Mapping[str, Sequence[int]]] = {
    "kubelet": {"TCP": (10250, 10255)},
    "smtp": {"TCP": (25, 465, 587)},
    "dns-over-tls": {"TCP": (853,), "UDP": (853,)},
    "quic": {"UDP": (443,)},
}
"""Ports by protocol, by the name of the rule that refuses them wherever they are."""


@dataclass(frozen=True, kw_only=True)
class ClusterRanges:
    """Further networks that nothing of a sandbox, and nothing that it could take over, may reach:
    of nodes, pods and services, by what they are. Where they are private ones it is their names
    that this adds; on a cluster whose nodes have public addresses it is the wall."""

    networks: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def refused(self) -> dict[str, Sequence[str]]:
        """All networks that are refused, the cluster's own ones named first."""
        return {**self.networks, **PRIVATE}


def quarantine_policies() -> list[Document]:
    """Nothing in, nothing out, before anything else is asked: for a sandbox, a part of the egress
    or of the way in, and for all of a tenant."""
    marked = f"{QUARANTINE_LABEL} == 'true'"
    denied = logged_denial("quarantine")
    return [
        policy(
            "quarantined-pods",
            order=QUARANTINE_ORDER,
            ingress=denied,
            egress=denied,
            namespaceSelector=" || ".join([SANDBOXES, *map(namespace, PLATFORM)]),
            selector=marked,
        ),
        policy(
            "quarantined-tenants",
            order=QUARANTINE_ORDER,
            ingress=denied,
            egress=denied,
            namespaceSelector=f"{SANDBOXES} && {marked}",
            selector="all()",
        ),
    ]


def refused_policy(ranges: ClusterRanges) -> Document:
    """The last word of the tier for sandboxes, in both directions."""
    egress = never_denials()
    for name, protocols in PORTS.items():
        for protocol, ports in protocols.items():
            egress += logged_denial(name, protocol=protocol, destination={"ports": [*ports]})
    return policy(
        "refused",
        order=REFUSED_ORDER,
        egress=[
            *egress,
            *network_denials(ranges.refused()),
            *logged_denial("not-on-the-list"),
        ],
        ingress=logged_denial("closed"),
        namespaceSelector=SANDBOXES,
        selector="all()",
    )


def never_denials() -> list[Document]:
    """What no owner's entry opens either: the API server, wherever it is, and metadata."""
    api_server = logged_denial("api-server", destination={"services": dict(API_SERVER)})
    return [*api_server, *network_denials(METADATA)]


def network_denials(networks: Mapping[str, Sequence[str]]) -> list[Document]:
    """Rules that refuse networks, by their names. One rule speaks of one version of IP."""
    found = []
    for name, some in networks.items():
        for mark in (".", ":"):
            if nets := [network for network in some if _version_mark(network) == mark]:
                found += logged_denial(name, destination={"nets": nets})
    return found


def _version_mark(network: str) -> str:
    return ":" if ":" in network else "."
