"""The addresses of a VPC: nothing overlaps, nothing moves, and shortage is told."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.settings.aws.cidrs import (
    LARGEST_VPC,
    RESERVED_ADDRESSES,
    SMALLEST_VPC,
    SUBNET_KINDS,
    UNUSABLE_RANGES,
    AddressDemand,
    PodNetwork,
    addresses_per_node,
    check_demand,
    check_subnets,
    check_vpc,
    free_network,
    plan_cidrs,
    smallest_vpc,
)
from corral.settings.aws.instances import Instance, instance, instances
from corral.settings.problems import NotAllowedError

PREFIXES = st.integers(LARGEST_VPC, SMALLEST_VPC)
TEN = IPv4Network("10.0.0.0/8")
ZONES = st.sampled_from([("a", "b"), ("b", "a"), ("a", "b", "c"), ("c", "f", "d")])
TYPES = st.sampled_from(list(instances().values()))
NETWORKS: tuple[PodNetwork, ...] = ("vpc", "vpc-prefixes", "overlay")


def network(text: str) -> IPv4Network:
    return IPv4Network(text)


@st.composite
def vpcs(draw: st.DrawFn) -> IPv4Network:
    prefix = draw(PREFIXES)
    place = draw(st.integers(0, 2 ** (prefix - 8) - 1))
    return IPv4Network((int(TEN.network_address) + place * 2 ** (32 - prefix), prefix))


@given(vpcs(), ZONES)
def test_subnets_never_overlap_and_lie_within_the_vpc(
    vpc: IPv4Network, zones: tuple[str, ...]
) -> None:
    plan = plan_cidrs(vpc, zones)
    blocks = [subnet.cidr for subnet in plan.subnets] + list(plan.spare)
    assert sum(block.num_addresses for block in blocks) == vpc.num_addresses, "none is lost"
    ordered = sorted(blocks)
    for one, following in pairwise(ordered):
        assert one.broadcast_address < following.network_address
    assert all(block.subnet_of(vpc) for block in blocks)


@given(vpcs(), ZONES)
def test_every_zone_has_one_subnet_of_each_kind_and_half_is_left(
    vpc: IPv4Network, zones: tuple[str, ...]
) -> None:
    plan = plan_cidrs(vpc, zones)
    for kind in SUBNET_KINDS:
        assert tuple(plan.of_kind(kind)) == zones
    assert sum(block.num_addresses for block in plan.spare) >= vpc.num_addresses // 2
    assert all(subnet.cidr.prefixlen <= 28 for subnet in plan.subnets), "EC2's smallest subnet"


@given(vpcs())
def test_a_third_zone_moves_none_of_the_first_two(vpc: IPv4Network) -> None:
    assert set(plan_cidrs(vpc, "ab").subnets) <= set(plan_cidrs(vpc, "abc").subnets)


@given(vpcs(), st.lists(vpcs(), max_size=6))
def test_a_plan_overlaps_no_peer_or_is_refused_with_a_network_that_does_not(
    vpc: IPv4Network, peers: list[IPv4Network]
) -> None:
    try:
        plan = plan_cidrs(vpc, "abc", peers)
    except NotAllowedError as refused:
        overlapped = [peer for peer in peers if peer.overlaps(vpc)]
        assert overlapped
        assert all(str(peer) in refused.rule for peer in overlapped)
        check_vpc(IPv4Network(refused.fix.split()[1].rstrip(",")), peers)
    else:
        assert not any(s.cidr.overlaps(peer) for s in plan.subnets for peer in peers)


@given(PREFIXES, st.lists(vpcs(), max_size=8))
def test_a_free_network_is_free(prefix: int, taken: list[IPv4Network]) -> None:
    free = free_network(prefix, taken=taken)
    assert free is not None
    assert free.prefixlen == prefix
    assert not any(free.overlaps(other) for other in [*taken, *UNUSABLE_RANGES])


def test_there_may_be_no_free_network() -> None:
    everything = [IPv4Network("0.0.0.0/0")]
    assert free_network(16, taken=everything) is None
    with pytest.raises(NotAllowedError, match="overlaps no peer") as refused:
        check_vpc(network("10.0.0.0/16"), everything)
    assert refused.value.fix == "choose a smaller network"


@pytest.mark.parametrize(
    ("vpc", "rule"),
    [
        ("10.0.0.0/15", "a network of /16 to /20"),
        ("10.0.0.0/21", "a network of /16 to /20"),
        ("8.8.0.0/16", "private addresses"),
        ("172.17.0.0/16", "outside 172.17.0.0/16"),
        ("172.17.16.0/20", "outside 172.17.0.0/16"),
    ],
)
def test_a_network_that_no_vpc_can_have_is_refused(vpc: str, rule: str) -> None:
    with pytest.raises(NotAllowedError) as refused:
        plan_cidrs(network(vpc), "abc")
    assert rule in refused.value.rule


@pytest.mark.parametrize("zones", ["a", "", "aa", "abcd", "aba"])
def test_zones_are_two_or_three_and_differ(zones: str) -> None:
    with pytest.raises(NotAllowedError, match="2 or 3 different zones"):
        plan_cidrs(network("10.0.0.0/16"), zones)


@pytest.mark.parametrize(
    ("subnets", "rule"),
    [
        ({"a": "10.0.0.0/24"}, "subnets in 2 zones at least"),
        ({"a": "10.0.0.0/24", "b": "10.1.0.0/24"}, "that of zone b has 10.1.0.0/24"),
        ({"a": "10.0.0.0/24", "b": "10.0.0.128/25"}, "overlaps"),
    ],
)
def test_subnets_that_cannot_carry_a_cluster_are_refused(
    subnets: dict[str, str], rule: str
) -> None:
    with pytest.raises(NotAllowedError) as refused:
        check_subnets([network("10.0.0.0/16")], {z: network(c) for z, c in subnets.items()})
    assert rule in refused.value.rule


def test_subnets_may_lie_in_a_second_network_of_the_vpc() -> None:
    both = [network("10.0.0.0/16"), network("100.64.0.0/16")]
    check_subnets(both, {"a": network("10.0.0.0/24"), "b": network("100.64.8.0/21")})


@given(TYPES, st.integers(1, 500))
def test_a_node_takes_an_address_for_each_pod_or_all_that_it_can_have(
    kind: Instance, pods: int
) -> None:
    most = kind.interfaces * kind.addresses
    for way in NETWORKS:
        taken = addresses_per_node(kind, pods=pods, network=way)
        if way == "overlay":
            assert taken == 1
        elif way == "vpc":
            assert taken >= min(pods + 1, most)
            assert taken <= most
        else:
            assert taken >= min(pods, kind.interfaces * (kind.addresses - 1) * 16)


def test_the_vpc_cni_keeps_an_interface_or_a_prefix_in_hand() -> None:
    kind = instance("m8i.2xlarge")  # 4 interfaces of 30
    assert addresses_per_node(kind, pods=29, network="vpc") == 60
    assert addresses_per_node(kind, pods=87, network="vpc") == 120
    assert addresses_per_node(kind, pods=32, network="vpc-prefixes") == 1 + 3 * 16


def demand(pool: str, nodes: int, per_node: int, zones: str = "ab") -> AddressDemand:
    return AddressDemand(pool=pool, nodes=nodes, per_node=per_node, zones=tuple(zones))


def test_addresses_that_suffice_are_let_through() -> None:
    check_demand({"a": 507, "b": 507}, [demand("agents", nodes=14, per_node=60)])


def test_exhaustion_names_the_zone_the_pool_and_the_way_out() -> None:
    with pytest.raises(NotAllowedError) as refused:
        check_demand(
            {"a": 507, "b": 507},
            [demand("agents", nodes=100, per_node=60), demand("system", 2, 1, zones="a")],
        )
    assert refused.value.rule == (
        "enough addresses in each zone: zone a has 507 in its private subnet, and 3066 may be "
        "needed (3000 by agents, 60 a node; 2 by system, 1 a node; 64 by AWS' own interfaces)"
    )
    assert refused.value.fix == ("use a network of /17, or lower the nodes of agents")


@given(st.integers(0, 10_000), vpcs())
def test_the_network_that_is_proposed_has_the_addresses(addresses: int, vpc: IPv4Network) -> None:
    prefix = smallest_vpc(addresses)
    largest = 2 ** (32 - LARGEST_VPC - 3) - RESERVED_ADDRESSES
    assert (prefix is None) == (addresses > largest)
    if prefix is not None:
        proposed = IPv4Network((vpc.network_address, prefix), strict=False)
        private = plan_cidrs(proposed, "abc").of_kind("private")
        assert all(subnet.usable >= addresses for subnet in private.values())


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 700), ZONES), max_size=4), vpcs())
def test_what_is_let_through_fits_when_nodes_are_spread_evenly(
    pools: list[tuple[int, int, tuple[str, ...]]], vpc: IPv4Network
) -> None:
    free = {z: s.usable for z, s in plan_cidrs(vpc, "abc").of_kind("private").items()}
    demands = [demand(f"p{i}", n, each, "".join(z)) for i, (n, each, z) in enumerate(pools)]
    try:
        check_demand(free, demands)
    except NotAllowedError:
        return
    for zone, addresses in free.items():
        taken = sum(each * -(-n // len(zones)) for n, each, zones in pools if zone in zones)
        assert taken < addresses
