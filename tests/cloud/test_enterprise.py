"""Calico Enterprise's egress gateways in moto: their addresses, subnets, routes and rights.

Whether EC2 lets calico-node do what its role says, and whether a gateway then has its address, an
account alone can tell.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped] # ships no types

from tests.cloud.running import World, moto
from tests.cloud.stacks import BARE, DEV, Settings, built, standing, surroundings, varied
from tests.cloud.walk import findings

OWNER = {
    "kind": "existing",
    "vpc-id": "vpc-0a1b2c3d4e5f60718",
    "cidr": "10.80.0.0/16",
    "private-subnets": {"a": "subnet-0a1b2c3d4e5f60711", "b": "subnet-0a1b2c3d4e5f60712"},
}


def enterprise(gateways: dict[str, Any], **aws: Any) -> Settings:
    calico = {"edition": "enterprise", "license": "owner", "egress-gateways": gateways}
    pools = {
        **DEV["pools"],
        "gateways": {
            "purpose": "egress-gateway",
            "machines": "virtual",
            "instances": ["m7i.large"],
        },
    }
    network = {**DEV["network"], "calico": calico}
    return varied(DEV, aws=aws, pools=pools, network=network)


def addresses(world: World) -> dict[str, str]:
    """Elastic IPs of gateways by name."""
    found = world.account.client("ec2").describe_addresses()["Addresses"]
    named = {
        next(tag["Value"] for tag in one["Tags"] if tag["Key"] == "Name"): one["PublicIp"]
        for one in found
    }
    return {name: address for name, address in named.items() if "-egress-" in name}


def rights(world: World) -> list[dict[str, Any]]:
    """Statements of calico-node's role."""
    [policy] = [
        one
        for one in world.executor.of("aws:iam/rolePolicy:RolePolicy")
        if one.name == "calico-node"
    ]
    found: list[dict[str, Any]] = json.loads(policy.inputs["policy"])["Statement"]
    return found


def test_gateways_get_addresses_subnets_and_rights_of_their_own(tmp_path: Path) -> None:
    with standing(tmp_path, "dev", enterprise({"replicas": 2})) as world:
        assert world.result.complete, world.explained()
        assert findings(world) == {}
        ec2 = world.account.client("ec2")
        own = {
            one["AvailabilityZone"]: one
            for one in ec2.describe_subnets(
                Filters=[{"Name": "tag:corral.dev/purpose", "Values": ["egress-addresses"]}]
            )["Subnets"]
        }
        assert sorted(own) == ["eu-west-1a", "eu-west-1b"]
        for subnet in own.values():
            [table] = ec2.describe_route_tables(
                Filters=[{"Name": "association.subnet-id", "Values": [subnet["SubnetId"]]}]
            )["RouteTables"]
            ways = {one["DestinationCidrBlock"]: one.get("GatewayId") for one in table["Routes"]}
            assert ways["0.0.0.0/0"].startswith("igw-"), "an Elastic IP needs that way out"
            assert not subnet["MapPublicIpOnLaunch"]
        made = addresses(world)
        assert len(made) == 3
        told = world.result.outputs["egressAddresses"]
        assert set(made.values()) < set(told), "beside those of NAT"
        made_in = {arn for each in rights(world) for arn in each["Resource"] if ":subnet/" in arn}
        assert {arn.rpartition("/")[2] for arn in made_in} == {
            one["SubnetId"] for one in own.values()
        }
        [association] = [
            one
            for one in world.executor.of("aws:eks/podIdentityAssociation:PodIdentityAssociation")
            if one.name == "calico-node"
        ]
        assert association.inputs["namespace"] == "calico-system"


def test_somebody_s_network_gets_addresses_for_subnets_that_are_there(tmp_path: Path) -> None:
    with moto():
        given = {
            zone: {"subnet": "subnet-0a1b2c3d4e5f6072f", "network": f"10.80.{number}.0/28"}
            for zone, number in (("a", 250), ("b", 251))
        }
        settings = surroundings(enterprise({"subnets": given}, network=OWNER))
        ec2 = boto3.client("ec2", region_name="eu-west-1", **_owner(settings))
        told = settings["network"]["calico"]["egress-gateways"]["subnets"]
        for zone, each in told.items():
            made = ec2.create_subnet(
                VpcId=settings["aws"]["network"]["vpc-id"],
                CidrBlock=each["network"],
                AvailabilityZone=f"eu-west-1{zone}",
            )
            each["subnet"] = made["Subnet"]["SubnetId"]
        world = built(tmp_path, "dev", settings)
        assert world.result.complete, world.explained()
        assert not world.executor.of("aws:ec2/subnet:Subnet")
        assert len(addresses(world)) == 3
        told["b"]["network"] = "10.80.252.0/28"
        refused = built(tmp_path / "again", "dev", settings)
        assert "has 10.80.251.0/28, not 10.80.252.0/28" in str(refused.result.error)


def _owner(settings: Settings) -> dict[str, str]:
    """Keys of the account that the stack is in."""
    aws = settings["aws"]
    role = {"arn": f"arn:aws:iam::{aws['account-id']}:role/owner"}
    found = boto3.client("sts", region_name=aws["region"], **BARE).assume_role(
        RoleArn=aws.get("role", role)["arn"], RoleSessionName="owner"
    )["Credentials"]
    return {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }
