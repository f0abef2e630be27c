"""Where packets from each subnet go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tests.cloud.running import World

EVERYWHERE: Final = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class Subnets:
    """The subnets of the VPCs that the program made, with their way out."""

    subnets: dict[str, dict[str, Any]]
    """Descriptions by id."""
    out: dict[str, dict[str, Any]]
    """The default route by subnet id; none for isolated ones."""
    tables: dict[str, str]
    """Route table by subnet id, where one is associated with it."""
    gateways: dict[str, str]
    """VPC by internet gateway."""
    nats: dict[str, dict[str, Any]]
    """NAT gateways by id."""

    def public(self, subnet: str) -> bool:
        """Whether its default route leads straight to the internet."""
        return str(self.out.get(subnet, {}).get("GatewayId", "")).startswith("igw-")

    def zone(self, subnet: str) -> str:
        """Its availability zone."""
        return str(self.subnets[subnet]["AvailabilityZone"])


def subnets_of(world: World) -> Subnets:
    """Asks EC2 for all of it."""
    ec2 = world.account.client("ec2")
    own = [{"Name": "vpc-id", "Values": [one.id for one in world.executor.of("aws:ec2/vpc:Vpc")]}]
    out: dict[str, dict[str, Any]] = {}
    tables: dict[str, str] = {}
    for table in ec2.describe_route_tables(Filters=own)["RouteTables"]:
        default = [r for r in table["Routes"] if r.get("DestinationCidrBlock") == EVERYWHERE]
        for link in table["Associations"]:
            if subnet := link.get("SubnetId"):
                tables[subnet] = table["RouteTableId"]
                if default:
                    out[subnet] = default[0]
    return Subnets(
        subnets={one["SubnetId"]: one for one in ec2.describe_subnets(Filters=own)["Subnets"]},
        out=out,
        tables=tables,
        gateways={
            gateway["InternetGatewayId"]: link["VpcId"]
            for gateway in ec2.describe_internet_gateways()["InternetGateways"]
            for link in gateway["Attachments"]
        },
        nats={one["NatGatewayId"]: one for one in ec2.describe_nat_gateways()["NatGateways"]},
    )


def routes_lead_where_they_should(world: World) -> list[str]:
    """Every subnet has a table of its own; public ones lead to their VPC's gateway, private ones
    to a NAT gateway that has an address, stands in a public subnet, and is in their zone
    wherever that zone has one; nodes and the control plane's interfaces are in no public subnet;
    AWS' storage is reached by the gateway endpoint."""
    if not world.executor.of("aws:ec2/vpc:Vpc"):
        return []
    here = subnets_of(world)
    return [
        *_tables(here),
        *_ways_out(here),
        *_nat_gateways(world, here),
        *_inhabitants(world, here),
        *_storage(world, here),
    ]


def _tables(here: Subnets) -> list[str]:
    return [
        f"{subnet}: no route table is associated with it, so the VPC's main one counts"
        for subnet in here.subnets
        if subnet not in here.tables
    ]


def _ways_out(here: Subnets) -> list[str]:
    wrong = []
    zones_with_nat = {here.zone(nat["SubnetId"]) for nat in here.nats.values()}
    for subnet, route in here.out.items():
        if (gateway := route.get("GatewayId")) is not None:
            if here.gateways.get(gateway) != here.subnets[subnet]["VpcId"]:
                wrong.append(f"{subnet}: {gateway} isn't attached to its VPC")
        elif (found := route.get("NatGatewayId")) is not None:
            nat = here.nats.get(found)
            if nat is None:
                wrong.append(f"{subnet}: {found} doesn't exist")
            elif here.zone(nat["SubnetId"]) != here.zone(subnet) in zones_with_nat:
                wrong.append(f"{subnet}: {found} is in another zone, though its own has one")
        else:
            wrong.append(f"{subnet}: its default route leads to neither gateway nor NAT")
    return wrong


def _nat_gateways(world: World, here: Subnets) -> list[str]:
    addresses = {
        one["AllocationId"] for one in world.account.client("ec2").describe_addresses()["Addresses"]
    }
    wrong = []
    for found, nat in here.nats.items():
        if not here.public(nat["SubnetId"]):
            wrong.append(f"{found}: its subnet has no way to the internet")
        allocated = {one.get("AllocationId") for one in nat["NatGatewayAddresses"]}
        if not allocated or not allocated <= addresses:
            wrong.append(f"{found}: it has no fixed address")
    used = {route.get("NatGatewayId") for route in here.out.values()}
    wrong += [f"{found}: no route leads to it" for found in here.nats if found not in used]
    return wrong


def inhabited(world: World) -> dict[str, set[str]]:
    """Subnets by what stands in them: the cluster, and each group of nodes."""
    account = world.account
    homes: dict[str, set[str]] = {}
    for one in world.executor.of("aws:eks/cluster:Cluster"):
        cluster = account.client("eks").describe_cluster(name=one.id)["cluster"]
        homes[f"cluster {one.id}"] = set(cluster["resourcesVpcConfig"]["subnetIds"])
    groups = account.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    for group in groups:
        homes[f"group {group['AutoScalingGroupName']}"] = set(group["VPCZoneIdentifier"].split(","))
    return homes


def _inhabitants(world: World, here: Subnets) -> list[str]:
    wrong = []
    for who, subnets in inhabited(world).items():
        for subnet in sorted(subnets & here.subnets.keys()):
            if here.public(subnet):
                wrong.append(f"{who} is in {subnet}, which is public")
            elif who.startswith("group ") and subnet not in here.out:
                wrong.append(f"{who} is in {subnet}, which has no way out to registries")
        if len({here.zone(one) for one in subnets & here.subnets.keys()}) == 1 and who.startswith(
            "cluster "
        ):
            wrong.append(f"{who} is in one zone only: EKS refuses that")
    return wrong


def _storage(world: World, here: Subnets) -> list[str]:
    endpoints = world.account.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    reached = {
        table
        for endpoint in endpoints
        if endpoint["VpcEndpointType"] == "Gateway" and endpoint["ServiceName"].endswith(".s3")
        for table in endpoint.get("RouteTableIds") or ()
    }
    return [
        f"{subnet}: image layers go through NAT, its table has no S3 endpoint"
        for subnet, table in here.tables.items()
        if subnet in here.out and not here.public(subnet) and table not in reached
    ]
