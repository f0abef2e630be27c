"""The addresses of a VPC: which subnet has which, and whether they last.

Half of the VPC is given out, in this order, and the upper half is left to grow into:

    zone 1 private | zone 2 private | zone 3 private | public and isolated | … room to grow …

Each of the four has an eighth of the VPC; the last holds a public and an isolated subnet for each
of four zones. A zone's subnets follow from its place in the list, so that a zone added at the end
moves none that is there. There are three zones at most: of the fourth isolated block each zone has
a quarter, for Calico Enterprise's egress gateways where there are any.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from math import ceil
from typing import Literal

from corral.settings.aws.instances import Instance
from corral.settings.problems import NotAllowedError

SubnetKind = Literal["public", "private", "isolated"]
SUBNET_KINDS: tuple[SubnetKind, ...] = ("public", "private", "isolated")

LARGEST_VPC, SMALLEST_VPC = 16, 20
"""Lengths of prefix. /16 is EC2's limit; in less than a /20 a private subnet has no room for what
AWS itself puts there and a few nodes with their pods."""

FEWEST_ZONES, MOST_ZONES = 2, 3
RESERVED_ADDRESSES = 5
"""EC2 keeps the first four and the last of every subnet.
https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html"""

INFRASTRUCTURE_ADDRESSES = 64
"""Of a private subnet, for what isn't a node or a pod: the control plane's interfaces (EKS asks for
16 while it upgrades), one for each interface endpoint, and internal load balancers."""

PREFIX = 16
"""Addresses of one delegated prefix (/28)."""

PodNetwork = Literal["vpc", "vpc-prefixes", "overlay"]
"""Where pods get addresses from: the node's interfaces one by one (VPC CNI), /28 prefixes on them
(VPC CNI, prefix delegation), or an overlay of their own (Calico CNI)."""

PRIVATE_RANGES = tuple(
    IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
UNUSABLE_RANGES = {
    IPv4Network("172.17.0.0/16"): "EC2 and EKS use it themselves (docker0 on their hosts)",
}


SERVICE_RANGES = ("172.20.0.0/16", "10.100.0.0/16")
"""Addresses of Kubernetes services, in order of preference: the two that EKS itself would choose
from. They exist on nodes only, and must be in no VPC that these reach."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subnet:
    """One subnet of the plan."""

    kind: SubnetKind
    zone: str
    """As it stands in the list of zones."""
    cidr: IPv4Network

    @property
    def usable(self) -> int:
        """Addresses that EC2 gives out of it."""
        return self.cidr.num_addresses - RESERVED_ADDRESSES


@dataclass(frozen=True, kw_only=True, slots=True)
class CidrPlan:
    """All subnets of a VPC, and what is left."""

    vpc: IPv4Network
    subnets: tuple[Subnet, ...]
    """By kind (public, private, isolated), then in the order of the zones."""
    spare: tuple[IPv4Network, ...]
    """What no subnet has, in as few networks as it takes."""

    def of_kind(self, kind: SubnetKind) -> dict[str, Subnet]:
        """Its subnets of that kind by zone."""
        return {subnet.zone: subnet for subnet in self.subnets if subnet.kind == kind}


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressDemand:
    """Nodes of one pool, at most, and what each of them takes of its subnet."""

    pool: str
    nodes: int
    per_node: int
    zones: tuple[str, ...]

    @property
    def per_zone(self) -> int:
        """Addresses in each of its zones, when nodes are spread evenly."""
        return ceil(self.nodes / len(self.zones)) * self.per_node


def service_network(vpc: IPv4Network) -> str:
    """Addresses of Kubernetes services in a cluster in that VPC. No VPC overlaps both: none is so
    large."""
    return next(text for text in SERVICE_RANGES if not vpc.overlaps(IPv4Network(text)))


def plan_cidrs(
    vpc: IPv4Network, zones: Sequence[str], peers: Iterable[IPv4Network] = ()
) -> CidrPlan:
    """The subnets of a VPC over two or three zones.

    Raises NotAllowedError: too large or too small, not private, used by AWS itself, overlapping
    with a peer, or too few, too many or repeated zones.
    """
    check_vpc(vpc, peers)
    if not FEWEST_ZONES <= len(zones) <= MOST_ZONES or len(set(zones)) != len(zones):
        raise NotAllowedError(
            rule=f"{FEWEST_ZONES} or {MOST_ZONES} different zones: EKS' API server is in two",
            fix=f"name {FEWEST_ZONES} or {MOST_ZONES} zones, each once",
        )
    *private, shared = list(vpc.subnets(prefixlen_diff=3))[:4]
    small = list(shared.subnets(prefixlen_diff=3))
    blocks = {"public": small[:4], "private": private, "isolated": small[4:]}
    subnets = tuple(
        Subnet(kind=kind, zone=zone, cidr=block)
        for kind in SUBNET_KINDS
        for zone, block in zip(zones, blocks[kind], strict=False)
    )
    return CidrPlan(vpc=vpc, subnets=subnets, spare=_left(vpc, subnets))


def egress_subnets(vpc: IPv4Network, zones: Sequence[str]) -> dict[str, IPv4Network]:
    """Networks by zone for egress gateways with addresses of their own: none of `plan_cidrs`' has
    them, and nothing else gets addresses there. Raises NotAllowedError as that does."""
    check_vpc(vpc)
    shared = list(vpc.subnets(prefixlen_diff=3))[MOST_ZONES]
    last = list(shared.subnets(prefixlen_diff=3))[-1]
    return dict(zip(zones, last.subnets(prefixlen_diff=2), strict=False))


def check_vpc(vpc: IPv4Network, peers: Iterable[IPv4Network] = ()) -> None:
    """Raises NotAllowedError unless a VPC can have these addresses beside its peers."""
    if not LARGEST_VPC <= vpc.prefixlen <= SMALLEST_VPC:
        raise NotAllowedError(
            rule=f"a network of /{LARGEST_VPC} to /{SMALLEST_VPC}: EC2 has none that is larger, "
            "and a smaller one has no room for the subnets of three zones",
            fix=f"write {IPv4Network((vpc.network_address, LARGEST_VPC), strict=False)}",
        )
    if not any(vpc.subnet_of(private) for private in PRIVATE_RANGES):
        raise NotAllowedError(
            rule=f"private addresses ({', '.join(map(str, PRIVATE_RANGES))}): public ones belong "
            "to somebody, whom nodes then couldn't reach",
            fix="choose a network in one of these",
        )
    for unusable, why in UNUSABLE_RANGES.items():
        if vpc.overlaps(unusable):
            raise NotAllowedError(
                rule=f"a network outside {unusable}: {why}", fix="choose another network"
            )
    others = [*peers]  # an iterator is read once
    taken = [peer for peer in others if vpc.overlaps(peer)]
    if taken:
        free = free_network(vpc.prefixlen, taken=others)
        raise NotAllowedError(
            rule=f"a network that overlaps no peer; it overlaps {', '.join(map(str, taken))}",
            fix=f"write {free}, for instance" if free else "choose a smaller network",
        )


def free_network(prefix: int, *, taken: Iterable[IPv4Network]) -> IPv4Network | None:
    """The first private network of that length that overlaps none of those."""
    avoided = [*taken, *UNUSABLE_RANGES]
    for private in PRIVATE_RANGES:
        if private.prefixlen > prefix:
            continue
        for candidate in private.subnets(new_prefix=prefix):
            if not any(candidate.overlaps(other) for other in avoided):
                return candidate
    return None


def check_subnets(vpc: Sequence[IPv4Network], subnets: Mapping[str, IPv4Network]) -> None:
    """Raises NotAllowedError unless these subnets, by zone, can carry a cluster in a VPC that has
    those networks: each within it, none within another, in two zones at least."""
    if len(subnets) < FEWEST_ZONES:
        raise NotAllowedError(
            rule=f"subnets in {FEWEST_ZONES} zones at least: EKS' API server is in two",
            fix="name a private subnet in another zone too",
        )
    for zone, cidr in subnets.items():
        if not any(cidr.subnet_of(network) for network in vpc):
            raise NotAllowedError(
                rule=f"subnets of the VPC, which has {', '.join(map(str, vpc))}; that of zone "
                f"{zone} has {cidr}",
                fix="name a subnet of that VPC",
            )
        others = [other for other in subnets if other != zone and cidr.overlaps(subnets[other])]
        if others:
            raise NotAllowedError(
                rule=f"one subnet for each zone; {cidr} of zone {zone} overlaps "
                f"{subnets[others[0]]} of zone {others[0]}",
                fix="name each subnet once",
            )


def addresses_per_node(kind: Instance, *, pods: int, network: PodNetwork) -> int:
    """Addresses of its subnet that one node takes with that many pods.

    The VPC CNI keeps one interface more than it needs attached and filled (WARM_ENI_TARGET=1), or
    one prefix more (WARM_PREFIX_TARGET=1); both are its defaults.
    """
    if network == "overlay":
        return 1
    slots = kind.addresses - 1
    if network == "vpc":
        return min(ceil(pods / slots) + 1, kind.interfaces) * kind.addresses
    prefixes = min(ceil(pods / PREFIX) + 1, kind.interfaces * slots)
    return ceil(prefixes / slots) + prefixes * PREFIX


def check_demand(free: Mapping[str, int], demands: Iterable[AddressDemand]) -> None:
    """Raises NotAllowedError where a zone has fewer addresses than pools may come to need.

    `free` is by zone: what the private subnet gives out, without what others hold already.
    """
    asked = tuple(demands)
    for zone, addresses in free.items():
        there = [demand for demand in asked if zone in demand.zones]
        need = zone_demand(zone, there)
        if need > addresses:
            most = max(there, key=lambda demand: demand.per_zone, default=None)
            raise NotAllowedError(
                rule=f"enough addresses in each zone: zone {zone} has {addresses} in its private "
                f"subnet, and {need} may be needed ({_told(there)})",
                fix=_way_out(most, need),
            )


def zone_demand(zone: str, demands: Iterable[AddressDemand]) -> int:
    """Addresses that pools, and AWS itself, may come to need in a zone's private subnet."""
    return INFRASTRUCTURE_ADDRESSES + sum(d.per_zone for d in demands if zone in d.zones)


def _told(demands: Sequence[AddressDemand]) -> str:
    pools = [f"{d.per_zone} by {d.pool}, {d.per_node} a node" for d in demands]
    return "; ".join([*pools, f"{INFRASTRUCTURE_ADDRESSES} by AWS' own interfaces"])


def _way_out(most: AddressDemand | None, need: int) -> str:
    larger = smallest_vpc(need)
    ways = [f"use a network of /{larger}"] if larger else []
    if most:
        ways.append(f"lower the nodes of {most.pool}")
    return ", or ".join(ways) or "use larger subnets"


def smallest_vpc(addresses: int) -> int | None:
    """The longest prefix of a VPC whose private subnets give out that many each; None without."""
    for prefix in range(SMALLEST_VPC, LARGEST_VPC - 1, -1):
        if 2 ** (32 - prefix - 3) - RESERVED_ADDRESSES >= addresses:
            return prefix
    return None


def _left(vpc: IPv4Network, subnets: Iterable[Subnet]) -> tuple[IPv4Network, ...]:
    left = [vpc]
    for subnet in subnets:
        left = [
            part
            for network in left
            for part in (
                network.address_exclude(subnet.cidr)
                if subnet.cidr.subnet_of(network)
                else (network,)
            )
        ]
    return tuple(sorted(collapse_addresses(left)))
