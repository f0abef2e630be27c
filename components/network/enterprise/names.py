"""Names in policies: one more wall behind Envoy's own list.

The gateway's pods reach the addresses that names on tenants' lists have, and no other. It is a wall
of addresses: Calico learns from the answers that the gateway gets to its own look-ups, and whoever
shares an address with an allowed name passes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby

from components.documents import Document
from components.network.packages.registries import REGISTRIES_PORT, hosts
from components.network.policies.fences import Beyond, gateway_fence
from components.network.policies.places import EGRESS_NAMESPACE, GATEWAY, part
from components.network.policies.refused import ClusterRanges
from components.network.policies.tier import (
    LAST_ORDER,
    MOST_NETS,
    MOST_PORTS,
    REFUSED_ORDER,
    policy,
    rule,
)
from corral.settings.egress import Egress

NAMES_ORDER = (REFUSED_ORDER + LAST_ORDER) // 2
"""After everything that is refused by its address: a name that leads to a private one gains
nothing here."""

_FOR_EVERYBODY = ("internet", "not-tcp")
"""Rules of the gateway's fence that end it. Here what isn't allowed by name falls to the last
policy of the namespace, which denies."""


def named_fence(ranges: ClusterRanges, beyond: Beyond) -> Document:
    """The gateway's fence without the internet as a whole: what is left of that is each tenant's
    `gateway-names`."""
    fence = gateway_fence(ranges, beyond)
    names = "corral.dev/rule"
    kept = [
        each
        for each in fence["spec"]["egress"]
        if each["metadata"]["annotations"][names] not in _FOR_EVERYBODY
    ]
    return {**fence, "spec": {**fence["spec"], "egress": kept}}


def names_policies(tenant: str, egress: Egress) -> list[Document]:
    """What the gateway's pods may reach for that tenant and for its package mirror, by names and
    ports; none for an empty list without a mirror."""
    rules = [
        rule(
            "listed-names",
            "Allow",
            protocol="TCP",
            destination={"domains": names, "ports": ports},
        )
        for names, ports in _by_ports(egress)
    ]
    if not rules:
        return []
    return [
        policy(
            f"gateway-names-{tenant}",
            namespace=EGRESS_NAMESPACE,
            order=NAMES_ORDER,
            egress=rules,
            selector=part(GATEWAY),
        )
    ]


def _by_ports(egress: Egress) -> Iterator[tuple[list[str], list[int]]]:
    """Names that have the same ports, together, as many as a rule may hold."""

    wanted: dict[str, set[int]] = defaultdict(set)
    for destination, port in egress.pairs():
        wanted[destination.host].add(port)
    if egress.packages is not None:
        for host in hosts(egress.packages.registries):
            wanted[host].add(REGISTRIES_PORT)

    def ports(host: str) -> tuple[int, ...]:
        return tuple(sorted(wanted[host]))

    for some, group in groupby(sorted(wanted, key=lambda host: (ports(host), host)), key=ports):
        names = list(group)
        for first in range(0, len(names), MOST_NETS):
            for low in range(0, len(some), MOST_PORTS):
                yield names[first : first + MOST_NETS], list(some[low : low + MOST_PORTS])
