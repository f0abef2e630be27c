"""What no sandbox reaches, whoever allows what after that: each kind by name, denied and logged.

The tier would deny all of it at its end anyway. Named, a denial tells an operator what was tried,
and an allowance that is written too widely one day opens none of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.documents import Document
from components.network.policies.places import QUARANTINE_LABEL, SANDBOXES
from components.network.policies.tier import (
    QUARANTINE_ORDER,
    REFUSED_ORDER,
    Mode,
    logged_denial,
    policy,
)

METADATA = (
    "169.254.0.0/16",
    "fd00:ec2::254/128",
    "fd00:ec2::23/128",
)
"""IMDS, Pod Identity, ECS' and the time service's addresses."""

PRIVATE: Mapping[str, Sequence[str]] = {
    "metadata": METADATA,
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "carrier-nat": ("100.64.0.0/10",),
    "link-local": ("fe80::/10",),
    "loopback": ("0.0.0.0/8", "127.0.0.0/8", "::/128", "::1/128"),
}
"""Networks by the name of the rule that refuses them."""

PORTS: Mapping[str, Sequence[tuple[str, int]]] = {
    "smtp": (("TCP", 25), ("TCP", 465), ("TCP", 587)),
    "dns-over-tls": (("TCP", 853), ("UDP", 853)),
    "quic": (("UDP", 443),),
    "kubelet": (("TCP", 10250), ("TCP", 10255)),
}
"""Protocols and ports by the name of the rule that refuses them."""


@dataclass(frozen=True, kw_only=True)
class ClusterRanges:
    """The cluster's own networks, where they aren't private ones anyway: of nodes, pods, services
    and the API server, by what they are."""

    networks: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def refused(self) -> dict[str, Sequence[str]]:
        """All networks that are refused, the cluster's own ones named first."""
        return {**self.networks, **PRIVATE}


def quarantine_policies() -> list[Document]:
    """Nothing in, nothing out, before anything else is asked: for a pod, or for all of a tenant."""
    marked = f"{QUARANTINE_LABEL} == 'true'"
    denied = logged_denial("quarantine")
    return [
        policy(
            "quarantined-pods",
            order=QUARANTINE_ORDER,
            ingress=denied,
            egress=denied,
            namespaceSelector=SANDBOXES,
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


def refused_policy(ranges: ClusterRanges, *, mode: Mode = "enforced") -> Document:
    """The last word of the tier for sandboxes, in both directions."""
    egress = [
        rule for name, networks in ranges.refused().items() for rule in _networks(name, networks)
    ]
    for name, ports in PORTS.items():
        for protocol, port in ports:
            egress += logged_denial(name, protocol=protocol, destination={"ports": [port]})
    return policy(
        "refused",
        order=REFUSED_ORDER,
        egress=[*egress, *logged_denial("not-on-the-list")],
        ingress=logged_denial("closed"),
        mode=mode,
        namespaceSelector=SANDBOXES,
        selector="all()",
    )


def _networks(name: str, networks: Sequence[str]) -> list[Document]:
    """A rule speaks of one version of IP."""
    found = []
    for version, mark in ((4, "."), (6, ":")):
        nets = [network for network in networks if mark in network]
        if nets:
            found += logged_denial(name, ipVersion=version, destination={"nets": nets})
    return found
