"""Somebody's VPC, as it stands in moto."""

from __future__ import annotations

from typing import Any

import boto3  # type: ignore[import-untyped] # ships no types
import pytest

from corral.preflight.aws import subnets
from corral.preflight.finding import Finding, Grade
from tests.preflight.account import refusal
from tests.preflight.conftest import Grounds

ABSENT = {("eks", "describe_cluster"): refusal("eks", "d", "ResourceNotFoundException")}


class Theirs:
    """A VPC with a private subnet in each of two zones, and NAT."""

    def __init__(self) -> None:
        self.ec2 = boto3.client("ec2", region_name="eu-west-1")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.90.0.0/16")["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        self.subnets = {
            "a": self._subnet("a", "10.90.0.0/19"),
            "b": self._subnet("b", "10.90.32.0/19"),
        }
        self.table = self._main_table()
        nat = self.ec2.create_nat_gateway(SubnetId=self.subnets["a"])["NatGateway"]
        self.route(NatGatewayId=nat["NatGatewayId"])

    def _subnet(self, zone: str, cidr: str) -> str:
        made = self.ec2.create_subnet(
            VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=f"eu-west-1{zone}"
        )
        return str(made["Subnet"]["SubnetId"])

    def _main_table(self) -> str:
        here = [{"Name": "vpc-id", "Values": [self.vpc]}]
        [table] = self.ec2.describe_route_tables(Filters=here)["RouteTables"]
        return str(table["RouteTableId"])

    def route(self, **target: str) -> None:
        self.ec2.create_route(RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0", **target)

    def no_route(self) -> None:
        self.ec2.delete_route(RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0")

    def network(self, **changes: Any) -> dict[str, Any]:
        named = {
            "kind": "existing",
            "vpc-id": self.vpc,
            "cidr": "10.90.0.0/16",
            "private-subnets": self.subnets,
        }
        return {"network": {**named, **changes}}


@pytest.fixture
def theirs(moto: None) -> Theirs:
    assert moto is None
    return Theirs()


def looked(ground: Grounds, aws: dict[str, Any]) -> list[Finding]:
    return list(subnets.look(ground(ABSENT, aws=aws)))


def test_a_network_of_the_stacks_own_is_not_looked_for(ground: Grounds) -> None:
    assert not list(subnets.look(ground()))


def test_fitting_subnets_are_told_with_their_free_addresses(
    ground: Grounds, theirs: Theirs
) -> None:
    [found] = looked(ground, theirs.network())
    assert found.grade is Grade.OK
    assert "in zone a" in found.what
    assert "in zone b" in found.what


def test_a_subnet_that_is_not_there_is_named(ground: Grounds, theirs: Theirs) -> None:
    named = {**theirs.subnets, "b": "subnet-0123456789abcdef0"}
    [found] = looked(ground, theirs.network(**{"private-subnets": named}))
    assert found.grade is Grade.FAILURE
    assert "subnet-0123456789abcdef0" in found.what


def test_subnets_in_other_zones_than_the_file_says_are_named(
    ground: Grounds, theirs: Theirs
) -> None:
    swapped = {"a": theirs.subnets["b"], "b": theirs.subnets["a"]}
    found = looked(ground, theirs.network(**{"private-subnets": swapped}))
    assert [one.grade for one in found] == [Grade.FAILURE, Grade.FAILURE]
    assert "is in zone eu-west-1b, not in a" in found[0].what


def test_subnets_of_another_vpc_are_named(ground: Grounds, theirs: Theirs) -> None:
    found = looked(ground, theirs.network(**{"vpc-id": "vpc-0123456789abcdef0"}))
    assert found[0].grade is Grade.FAILURE
    assert "not in vpc-0123456789abcdef0" in found[0].what


def test_public_addresses_are_refused(ground: Grounds, theirs: Theirs) -> None:
    theirs.ec2.modify_subnet_attribute(
        SubnetId=theirs.subnets["a"], MapPublicIpOnLaunch={"Value": True}
    )
    found = looked(ground, theirs.network())
    assert "gives public addresses" in found[0].what


def test_a_vpc_without_host_names_is_refused_with_the_call_that_helps(
    ground: Grounds, theirs: Theirs
) -> None:
    theirs.ec2.modify_vpc_attribute(VpcId=theirs.vpc, EnableDnsHostnames={"Value": False})
    found = looked(ground, theirs.network())
    assert found[0].grade is Grade.FAILURE
    assert "--enable-dns-hostnames" in found[0].fix


def test_too_few_free_addresses_are_refused_with_whose_need_it_is(
    ground: Grounds, theirs: Theirs
) -> None:
    small = {
        "a": theirs._subnet("a", "10.90.64.0/26"),
        "b": theirs._subnet("b", "10.90.64.64/26"),
    }
    [found, *_] = looked(ground, theirs.network(**{"private-subnets": small}))
    assert found.grade is Grade.FAILURE
    assert "enough addresses in each zone" in found.what


def test_a_stack_that_stands_already_has_its_addresses(ground: Grounds, theirs: Theirs) -> None:
    small = {
        "a": theirs._subnet("a", "10.90.64.0/26"),
        "b": theirs._subnet("b", "10.90.64.64/26"),
    }
    standing = {("eks", "describe_cluster"): {"cluster": {"name": "corral-dev"}}}
    network = theirs.network(**{"private-subnets": small})
    found = list(subnets.look(ground(standing, aws=network)))
    assert [one.grade for one in found] == [Grade.OK]


def test_no_way_out_is_a_warning_since_a_vpc_may_have_mirrors(
    ground: Grounds, theirs: Theirs
) -> None:
    theirs.no_route()
    found = looked(ground, theirs.network())
    assert [one.grade for one in found] == [Grade.OK, Grade.WARNING, Grade.WARNING]


def test_a_route_to_an_internet_gateway_leads_nowhere(ground: Grounds, theirs: Theirs) -> None:
    theirs.no_route()
    gateway = theirs.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    theirs.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=theirs.vpc)
    theirs.route(GatewayId=gateway)
    found = looked(ground, theirs.network())
    assert [one.grade for one in found] == [Grade.OK, Grade.FAILURE, Grade.FAILURE]


def test_a_table_of_the_subnets_own_counts_before_the_main_one(
    ground: Grounds, theirs: Theirs
) -> None:
    own = theirs.ec2.create_route_table(VpcId=theirs.vpc)["RouteTable"]["RouteTableId"]
    theirs.ec2.associate_route_table(RouteTableId=own, SubnetId=theirs.subnets["a"])
    found = looked(ground, theirs.network())
    [warned] = [one for one in found if one.grade is Grade.WARNING]
    assert theirs.subnets["a"] in warned.what
