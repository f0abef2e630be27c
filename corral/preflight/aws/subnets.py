"""Whether somebody's VPC can carry the stack's nodes: addresses, zones, names and a way out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network

from corral.aws_account.errors import Refused
from corral.preflight.aws.ground import Entry, Ground
from corral.preflight.finding import Finding, failure, ok, warning
from corral.settings.aws.cidrs import check_demand, check_subnets
from corral.settings.aws.contradictions import address_demand
from corral.settings.aws.network import ExistingNetwork
from corral.settings.network import pod_network_of
from corral.settings.problems import NotAllowedError

ANYWHERE = "0.0.0.0/0"


def look(ground: Ground) -> Iterator[Finding]:
    """Nothing, where the network is the stack's own: its file was judged already."""
    network = ground.aws.network
    if not isinstance(network, ExistingNetwork):
        return
    subnets: dict[str, Entry] = {}
    for zone, subnet in sorted(network.private_subnets.items()):
        try:
            [subnets[zone]] = ground.account.ask("ec2", "describe_subnets", SubnetIds=[subnet])[
                "Subnets"
            ]
        except Refused as error:
            if error.code != "InvalidSubnetID.NotFound":
                raise
            yield failure(
                f"there is no subnet {subnet} (zone {zone}) in this account and region",
                why="nodes go there",
                fix="correct aws.network.private-subnets, or have the subnet shared",
            )
            return
    wrong = [*_places(ground, network, subnets)]
    yield from wrong
    if not wrong:
        yield from _names(ground, network)
        yield from _room(ground, network, subnets)
        yield from _ways_out(ground, network, subnets)


def _places(
    ground: Ground, network: ExistingNetwork, subnets: Mapping[str, Entry]
) -> Iterator[Finding]:
    for zone, subnet in subnets.items():
        problems = []
        if subnet["VpcId"] != network.vpc_id:
            problems.append(f"is in {subnet['VpcId']}, not in {network.vpc_id}")
        if subnet["AvailabilityZone"] != f"{ground.aws.region}{zone}":
            problems.append(f"is in zone {subnet['AvailabilityZone']}, not in {zone}")
        if subnet["MapPublicIpOnLaunch"]:
            problems.append("gives public addresses to what starts in it")
        if problems:
            yield failure(
                f"subnet {subnet['SubnetId']} {' and '.join(problems)}",
                why="`up` refuses it: nodes go there",
                fix="correct aws.network.private-subnets, or the subnet",
            )


def _names(ground: Ground, network: ExistingNetwork) -> Iterator[Finding]:
    for attribute, key in (
        ("enableDnsSupport", "EnableDnsSupport"),
        ("enableDnsHostnames", "EnableDnsHostnames"),
    ):
        found = ground.account.ask(
            "ec2", "describe_vpc_attribute", VpcId=network.vpc_id, Attribute=attribute
        )
        if not found[key]["Value"]:
            yield failure(
                f"{network.vpc_id} has {attribute} off",
                why="nodes find a private API server by a name that only such a VPC resolves",
                fix=f"aws ec2 modify-vpc-attribute --vpc-id {network.vpc_id} "
                f"--{'enable-dns-support' if 'Support' in key else 'enable-dns-hostnames'}",
            )


def _room(
    ground: Ground, network: ExistingNetwork, subnets: Mapping[str, Entry]
) -> Iterator[Finding]:
    ranges = {zone: IPv4Network(subnet["CidrBlock"]) for zone, subnet in subnets.items()}
    free = {zone: subnet["AvailableIpAddressCount"] for zone, subnet in subnets.items()}
    try:
        check_subnets(_ranges(ground, network), ranges)
        if ground.standing is None:
            network_of_pods = pod_network_of(ground.settings.network)
            needs = [
                address_demand(n, pool, ground.aws, network_of_pods)
                for n, pool in ground.pools.items()
            ]
            check_demand(free, needs)
    except NotAllowedError as refusal:
        yield failure(
            f"subnets of {network.vpc_id} don't fit: {refusal.rule}",
            why="nodes and pods take their addresses there",
            fix=refusal.fix,
        )
        return
    told = ", ".join(f"{count} in zone {zone}" for zone, count in free.items())
    yield ok(f"free addresses in the private subnets: {told}")


def _ranges(ground: Ground, network: ExistingNetwork) -> list[IPv4Network]:
    [vpc] = ground.account.ask("ec2", "describe_vpcs", VpcIds=[network.vpc_id])["Vpcs"]
    blocks = [
        block["CidrBlock"]
        for block in vpc.get("CidrBlockAssociationSet") or ()
        if block["CidrBlockState"]["State"] == "associated"
    ]
    return [IPv4Network(block) for block in blocks or [vpc["CidrBlock"]]]


def _ways_out(
    ground: Ground, network: ExistingNetwork, subnets: Mapping[str, Entry]
) -> Iterator[Finding]:
    here = [{"Name": "vpc-id", "Values": [network.vpc_id]}]
    tables = [*ground.account.every("ec2", "describe_route_tables", "RouteTables", Filters=here)]
    for zone, subnet in subnets.items():
        route = _default_route(tables, subnet["SubnetId"])
        if route is None:
            yield warning(
                f"subnet {subnet['SubnetId']} of zone {zone} has no route to {ANYWHERE}",
                why="nodes get images, gVisor's release and AWS' services that way, unless the VPC "
                "has endpoints and mirrors for all of them",
                fix="add a route to a NAT gateway or a transit gateway, or see that there are such",
            )
        elif str(route.get("GatewayId", "")).startswith("igw-"):
            yield failure(
                f"subnet {subnet['SubnetId']} of zone {zone} routes to an internet gateway",
                why="nodes have no public addresses: nothing that they send would come back",
                fix="name a private subnet, whose route leads to NAT",
            )
        elif route.get("State") != "active":
            yield failure(
                f"the way out of subnet {subnet['SubnetId']} is {route.get('State')}",
                why="what it leads to is gone",
                fix="repair the route",
            )


def _default_route(tables: list[Entry], subnet: str) -> Entry | None:
    """Of the subnet's own table, or of the VPC's main one."""
    own = [t for t in tables if any(a.get("SubnetId") == subnet for a in t["Associations"])]
    main = [t for t in tables if any(a.get("Main") for a in t["Associations"])]
    for table in (own or main)[:1]:
        for route in table["Routes"]:
            if route.get("DestinationCidrBlock") == ANYWHERE:
                found: Entry = route
                return found
    return None
