"""What there is: pods, nodes, what is outside, and Services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address

from tests.network.policies.model.selectors import Labels

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, kw_only=True, eq=False)
class Peer:
    """One end of a connection. A pod has a namespace; a node and what is outside have none. What a
    node's own processes do, pods on its network among them, is the node's."""

    name: str
    address: Address
    node: str = ""
    """The node that it is on, or is."""
    namespace: str = ""
    labels: Labels = field(default_factory=dict)

    @property
    def pod(self) -> bool:
        """Whether policies are enforced at it: on its own interface, by the node that it is on."""
        return bool(self.namespace)

    @property
    def host(self) -> bool:
        """Whether it is a node."""
        return bool(self.node) and not self.namespace


@dataclass(frozen=True, kw_only=True)
class Service:
    """An address and ports that lead to pods, or to hosts: target ports by (protocol, port)."""

    name: str
    namespace: str
    address: Address
    ports: Mapping[tuple[str, int], int]
    backend: Peer


@dataclass(frozen=True, kw_only=True)
class Target:
    """What somebody tries to reach."""

    name: str
    address: Address
    protocol: str = "TCP"
    port: int = 0


@dataclass(frozen=True, kw_only=True)
class World:
    """One cluster, and what is around it."""

    peers: Sequence[Peer]
    services: Sequence[Service]
    namespaces: Mapping[str, Labels]
    node_ports: Mapping[int, tuple[Peer, int]] = field(default_factory=dict)

    def behind(self, target: Target) -> Target:
        """Where a packet goes after Services' addresses and node ports have become those behind
        them: kube-proxy does that before any policy is asked (Calico's policies, other than preDNAT
        ones for hosts, see the packet afterwards)."""
        for service in self.services:
            port = service.ports.get((target.protocol, target.port))
            if service.address == target.address and port is not None:
                return Target(
                    name=target.name,
                    address=service.backend.address,
                    protocol=target.protocol,
                    port=port,
                )
        peer = self.at(target.address)
        if peer is not None and peer.host and target.port in self.node_ports:
            backend, port = self.node_ports[target.port]
            return Target(
                name=target.name, address=backend.address, protocol=target.protocol, port=port
            )
        return target

    def at(self, address: Address) -> Peer | None:
        """Who has that address; None outside."""
        return self._by_address.get(address)

    @cached_property
    def _by_address(self) -> Mapping[Address, Peer]:
        return {peer.address: peer for peer in self.peers}


def address(text: str) -> Address:
    """An address of either version."""
    return ip_address(text)
