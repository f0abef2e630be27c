"""The floor: Kubernetes' own NetworkPolicies, which most network plugins enforce.

They are all there is on a cluster without Calico. They can't deny by name, log, or stage; what
isn't allowed is closed, but for the node that a pod is on: both reach each other whatever they say
(https://kubernetes.io/docs/concepts/services-networking/network-policies/). That a tenant's
namespace is closed otherwise is said by its `corral-default-deny`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise

from components.documents import Document, metadata
from components.network.gateway.ports import doors
from components.network.policies.fences import (
    API_SERVER_PORTS,
    DNS_PORT,
    FIGURES,
    INTERNET,
    Beyond,
    one_address,
)
from components.network.policies.places import (
    CONTROL,
    CONTROL_PORT,
    EGRESS_NAMESPACE,
    GATEWAY,
    NAMESPACE_NAME,
    PACKAGES,
    PACKAGES_PORT,
    PART_LABEL,
    QUARANTINE_LABEL,
    RESOLVER,
)
from components.network.policies.refused import METADATA, ClusterRanges
from components.tenancy.namespace import tenant_namespace
from corral.policy.steering import TENANT_LABEL
from corral.settings.egress import CLOSED_PORTS, Egress

HIGHEST_PORT = 65535

# No policy can deny: who is in quarantine is one whom no allowance speaks of.
_FREE: Document = {
    "matchExpressions": [{"key": QUARANTINE_LABEL, "operator": "NotIn", "values": ["true"]}]
}


def floor_tenant_policies(tenant: str, egress: Egress) -> list[Document]:
    """The tenant's way to its own ports, and that only it comes in by them."""
    mine = doors(egress.number)
    at_gateway, at_resolver = _ports("TCP", mine.proxy, mine.tls), _dns_ports(mine.dns)
    has_mirror, at_mirror = egress.packages is not None, _ports("TCP", PACKAGES_PORT)
    mirror = {"matchLabels": {PART_LABEL: PACKAGES, TENANT_LABEL: tenant}, **_FREE}
    way_out = _policy(
        "corral-way-out",
        tenant_namespace(tenant),
        _FREE,
        egress=[
            {"to": [_elsewhere(GATEWAY)], "ports": at_gateway},
            {"to": [_elsewhere(RESOLVER)], "ports": at_resolver},
            *(
                [{"to": [{**_elsewhere(PACKAGES), "podSelector": mirror}], "ports": at_mirror}]
                * has_mirror
            ),
        ],
    )
    owner = {
        "namespaceSelector": {"matchLabels": {TENANT_LABEL: tenant}, **_FREE},
        "podSelector": _FREE,
    }
    return [
        way_out,
        *(
            _policy(
                f"{word}-from-{tenant}",
                EGRESS_NAMESPACE,
                _of(where),
                ingress=[{"from": [owner], "ports": ports}],
            )
            for word, where, ports in (
                ("gateway", GATEWAY, at_gateway),
                ("resolver", RESOLVER, at_resolver),
            )
        ),
        *(_floor_of_mirror(tenant, mine.registries, mirror, owner) if has_mirror else ()),
    ]


def _floor_of_mirror(
    tenant: str, registries: int, mirror: Document, owner: Document
) -> list[Document]:
    """The package mirror: its tenant comes in, and it leaves by its own door alone."""
    door = _ports("TCP", registries)
    return [
        _policy(
            f"packages-{tenant}",
            EGRESS_NAMESPACE,
            mirror,
            ingress=[{"from": [owner], "ports": _ports("TCP", PACKAGES_PORT)}],
            egress=[{"to": [{"podSelector": _of(GATEWAY)}], "ports": door}],
        ),
        _policy(
            f"gateway-from-packages-of-{tenant}",
            EGRESS_NAMESPACE,
            _of(GATEWAY),
            ingress=[{"from": [{"podSelector": mirror}], "ports": door}],
        ),
    ]


def floor_shared_policies(ranges: ClusterRanges, beyond: Beyond) -> list[Document]:
    """The egress' own namespace: closed, but for what its parts need."""
    to_control = {"to": [{"podSelector": _of(CONTROL)}], "ports": _ports("TCP", CONTROL_PORT)}
    api_server = _addresses(beyond.api_server, _ports("TCP", *API_SERVER_PORTS))
    clients = [{"podSelector": _of(GATEWAY)}, {"podSelector": _of(RESOLVER)}]
    return [
        _policy("corral-default-deny", EGRESS_NAMESPACE, {}, ingress=[], egress=[]),
        _policy(
            "gateway",
            EGRESS_NAMESPACE,
            _of(GATEWAY),
            ingress=_figures(GATEWAY, beyond),
            egress=[*_gateway_way_out(ranges, beyond), to_control],
        ),
        _policy(
            "resolver",
            EGRESS_NAMESPACE,
            _of(RESOLVER),
            ingress=_figures(RESOLVER, beyond),
            egress=[to_control],
        ),
        _policy(
            "control",
            EGRESS_NAMESPACE,
            _of(CONTROL),
            ingress=[
                {"from": clients, "ports": _ports("TCP", CONTROL_PORT)},
                *_figures(CONTROL, beyond),
            ],
            egress=api_server,
        ),
    ]


def _gateway_way_out(ranges: ClusterRanges, beyond: Beyond) -> list[Document]:
    refused = chain.from_iterable([*METADATA.values(), *ranges.refused().values()])
    internet = {"ipBlock": {"cidr": INTERNET, "except": _outermost(refused)}}
    found = [{"to": [internet], "ports": _all_but(CLOSED_PORTS)}]
    found += _addresses([one_address(each) for each in beyond.dns], _dns_ports(DNS_PORT))
    for _, (networks, ports) in sorted(beyond.private.items()):
        found += _addresses(networks, _ports("TCP", *ports), beyond.api_server)
    return found


def _figures(where: str, beyond: Beyond) -> list[Document]:
    if not beyond.metrics_readers:
        return []
    readers = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: beyond.metrics_readers}}}
    return [{"from": [readers], "ports": _ports("TCP", FIGURES[where])}]


def _policy(
    name: str,
    namespace: str,
    pods: Document,
    *,
    ingress: list[Document] | None = None,
    egress: list[Document] | None = None,
) -> Document:
    """A direction that is None isn't its business; one without rules it closes."""
    directions = {"Ingress": ingress, "Egress": egress}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name, namespace=namespace),
        "spec": {
            "podSelector": pods,
            "policyTypes": [each for each, rules in directions.items() if rules is not None],
            **{each.lower(): rules for each, rules in directions.items() if rules},
        },
    }


def _of(name: str) -> Document:
    return {"matchLabels": {PART_LABEL: name}, **_FREE}


def _elsewhere(name: str) -> Document:
    return {
        "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: EGRESS_NAMESPACE}},
        "podSelector": _of(name),
    }


def _addresses(
    networks: Sequence[str], ports: list[Document], but: Sequence[str] = ()
) -> list[Document]:
    """A rule for these networks, without what of metadata and of `but` lies in one; none for none,
    since an empty list would be anybody."""
    metadata_networks = METADATA["metadata"]
    places = []
    for network in networks:
        if any(_within(network, each) for each in metadata_networks):
            continue
        # An entry within `but` stays: whoever names a host there means it.
        inner = [
            each
            for each in (*metadata_networks, *but)
            if _within(each, network) and each != network
        ]
        places.append({"ipBlock": {"cidr": network, **({"except": inner} if inner else {})}})
    return [{"to": places, "ports": ports}] if places and ports else []


def _within(network: str, other: str) -> bool:
    inner, outer = ipaddress.ip_network(network), ipaddress.ip_network(other)
    if isinstance(inner, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and inner.subnet_of(outer)


def _ports(protocol: str, *ports: int) -> list[Document]:
    return [{"protocol": protocol, "port": port} for port in ports]


def _dns_ports(port: int) -> list[Document]:
    return [*_ports("UDP", port), *_ports("TCP", port)]


def _all_but(closed: Iterable[int]) -> list[Document]:
    """Every TCP port but these, as ranges."""
    edges = [0, *sorted(closed), HIGHEST_PORT + 1]
    return [
        {"protocol": "TCP", "port": low + 1, "endPort": high - 1}
        for low, high in pairwise(edges)
        if high - low > 1
    ]


def _outermost(networks: Iterable[str]) -> list[str]:
    """Networks of IPv4 that lie in none of the others."""
    found = [ipaddress.IPv4Network(each) for each in networks if ":" not in each]
    return [str(each) for each in ipaddress.collapse_addresses(found)]
