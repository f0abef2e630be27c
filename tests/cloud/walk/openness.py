"""What the world can reach."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final

from tests.cloud.running import World

WIDE: Final = 8
"""A network with fewer leading bits than this is the world."""


def nothing_opens_the_world(world: World) -> list[str]:
    """No security group lets the world in, the VPC's default group has no rules, subnets hand out
    no public addresses, endpoints have groups of their own, no bucket can be made public, and the
    API server is private or open to listed networks only."""
    return [
        *_groups(world),
        *_subnets(world),
        *_api_server(world),
        *_endpoints(world),
        *_buckets(world),
    ]


def _wide(cidr: str) -> bool:
    return ipaddress.ip_network(cidr, strict=False).prefixlen < WIDE


def _ranges(permission: dict[str, Any]) -> Iterator[str]:
    for one in permission.get("IpRanges", ()):
        yield one["CidrIp"]
    for one in permission.get("Ipv6Ranges", ()):
        yield one["CidrIpv6"]


def _groups(world: World) -> list[str]:
    own = {one.id for one in world.executor.of("aws:ec2/vpc:Vpc")}
    wrong = []
    for group in world.account.client("ec2").describe_security_groups()["SecurityGroups"]:
        name = f"security group {group['GroupName']}"
        wrong += [
            f"{name} lets {cidr} in"
            for permission in group["IpPermissions"]
            for cidr in _ranges(permission)
            if _wide(cidr)
        ]
        own_default = group["GroupName"] == "default" and group.get("VpcId") in own
        if own_default and (group["IpPermissions"] or group["IpPermissionsEgress"]):
            wrong.append(f"{name} of {group['VpcId']} has rules: what forgets its group is open")
    return wrong


def _subnets(world: World) -> list[str]:
    own = [{"Name": "vpc-id", "Values": [one.id for one in world.executor.of("aws:ec2/vpc:Vpc")]}]
    return [
        f"{subnet['SubnetId']} gives public addresses to what starts in it"
        for subnet in world.account.client("ec2").describe_subnets(Filters=own)["Subnets"]
        if subnet["MapPublicIpOnLaunch"]
    ]


def _api_server(world: World) -> list[str]:
    wrong = []
    for one in world.executor.of("aws:eks/cluster:Cluster"):
        cluster = world.account.client("eks").describe_cluster(name=one.id)["cluster"]
        access = cluster["resourcesVpcConfig"]
        if not access.get("endpointPrivateAccess"):
            wrong.append(f"cluster {one.id} has no private endpoint")
        networks = access.get("publicAccessCidrs") or ["0.0.0.0/0"]
        if access.get("endpointPublicAccess") and any(map(_wide, networks)):
            wrong.append(f"cluster {one.id}: the world reaches its API server")
    return wrong


def _endpoints(world: World) -> list[str]:
    return [
        f"endpoint {endpoint['ServiceName']} has no security group, so it takes the default one"
        for endpoint in world.account.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
        if endpoint["VpcEndpointType"] == "Interface" and not endpoint.get("Groups")
    ]


def _buckets(world: World) -> list[str]:
    s3 = world.account.client("s3")
    wrong = []
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        try:
            block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        except s3.exceptions.ClientError:
            block = {}
        if not block or not all(block.values()):
            wrong.append(f"bucket {name} can be made public")
    return wrong
