"""A VPC of the stack's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
from pulumi_aws import ec2

from components.aws.network.endpoints import Endpoints, EndpointsArgs
from components.aws.network.guards import Guards, GuardsArgs
from components.aws.network.subnets import subnet_tags
from components.children import Children
from corral.settings.aws.cidrs import SUBNET_KINDS, CidrPlan, SubnetKind, plan_cidrs
from corral.settings.aws.network import NewNetwork

Subnets = Mapping[str, pulumi.Output[str]]
"""Ids of subnets by the letter of their zone."""

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """The settings; `name` begins the names of all parts; the region that the letters of zones
    belong to, and the account; the key (its ARN) that flow logs are encrypted with; whether
    addresses, the network and its logs are protected."""

    name: str
    region: str
    account: str
    settings: NewNetwork
    logs_key: pulumi.Input[str]
    protect: bool


class Network(pulumi.ComponentResource):
    """VPC, subnets, routes, NAT with fixed addresses, endpoints, flow logs, DNS firewall.

    Public subnets hold NAT gateways and load balancers, private ones nodes; isolated ones, without
    a way out, the API server's interfaces and the endpoints of AWS' services.
    """

    vpc_id: pulumi.Output[str]
    cidr: str
    node_subnets: Subnets
    """Private subnets."""
    control_plane_subnets: Subnets
    """Isolated subnets."""
    egress_addresses: pulumi.Output[list[str]]
    """Fixed public addresses that all traffic to the internet comes from."""
    public_routes: pulumi.Output[str]
    """The route table of public subnets: by the internet gateway."""

    def __init__(
        self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:aws:Network", name, None, opts)
        self._children = Children(parent=self)
        self._args = args
        plan = plan_cidrs(
            IPv4Network(args.settings.cidr),
            args.settings.zones,
            map(IPv4Network, args.settings.peers),
        )
        self._vpc = ec2.Vpc(
            "vpc",
            cidr_block=args.settings.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,  # private names of endpoints need both
            tags={"Name": args.name},
            # Another address range is another network: everything in this one would go.
            opts=self._children.options(protect=args.protect),
        )
        # Whatever is put into a VPC without a group gets this one: it lets nothing in or out.
        ec2.DefaultSecurityGroup(
            "default",
            vpc_id=self._vpc.id,
            ingress=[],
            egress=[],
            tags={"Name": f"{args.name}-default"},
            opts=self._children.options(),
        )
        subnets = {kind: self._subnets(kind, plan) for kind in SUBNET_KINDS}
        addresses = self._way_out(subnets)
        tables = self._routes(subnets, addresses)

        Endpoints(
            "endpoints",
            EndpointsArgs(
                name=args.name,
                region=args.region,
                account=args.account,
                vpc_id=self._vpc.id,
                cidr=args.settings.cidr,
                subnets={zone: subnet.id for zone, subnet in subnets["isolated"].items()},
                route_tables={name: table.id for name, table in tables.items()},
            ),
            self._children.options(),
        )
        Guards(
            "guards",
            GuardsArgs(
                name=args.name,
                account=args.account,
                vpc_id=self._vpc.id,
                flow_log_days=args.settings.flow_log_days,
                logs_key=args.logs_key,
                protect=args.protect,
            ),
            self._children.options(),
        )
        self.vpc_id = self._vpc.id
        self.cidr = args.settings.cidr
        self.node_subnets = {zone: subnet.id for zone, subnet in subnets["private"].items()}
        self.control_plane_subnets = {
            zone: subnet.id for zone, subnet in subnets["isolated"].items()
        }
        self.egress_addresses = pulumi.Output.all(
            *(address.public_ip for address in addresses.values())
        )
        self.register_outputs({"vpc_id": self.vpc_id, "egress_addresses": self.egress_addresses})

    def _subnets(self, kind: SubnetKind, plan: CidrPlan) -> dict[str, ec2.Subnet]:
        return {
            zone: ec2.Subnet(
                f"{kind}-{zone}",
                vpc_id=self._vpc.id,
                availability_zone=f"{self._args.region}{zone}",
                cidr_block=str(subnet.cidr),
                map_public_ip_on_launch=False,
                tags=subnet_tags(self._args.name, kind, zone),
                opts=self._children.options(protect=self._args.protect),
            )
            for zone, subnet in plan.of_kind(kind).items()
        }

    def _way_out(
        self, subnets: Mapping[SubnetKind, Mapping[str, ec2.Subnet]]
    ) -> dict[str, ec2.Eip]:
        """An internet gateway, and the fixed addresses of NAT by the zones that have one."""
        self._gateway = ec2.InternetGateway(
            "internet",
            vpc_id=self._vpc.id,
            tags={"Name": self._args.name},
            opts=self._children.options(),
        )
        zones = list(subnets["public"])
        return {
            zone: ec2.Eip(
                f"nat-{zone}",
                domain="vpc",
                tags={"Name": f"{self._args.name}-nat-{zone}"},
                # Customers have it on their allowlists: released, it never comes back.
                opts=self._children.options(protect=self._args.protect),
            )
            for zone in (zones if self._args.settings.nat == "per-zone" else zones[:1])
        }

    def _routes(
        self,
        subnets: Mapping[SubnetKind, Mapping[str, ec2.Subnet]],
        addresses: Mapping[str, ec2.Eip],
    ) -> dict[str, ec2.RouteTable]:
        """The route tables of subnets whose addresses are private, by name."""
        public = self._table("public")
        self.public_routes = public.id
        way_out = ec2.Route(
            "public",
            route_table_id=public.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=self._gateway.id,
            opts=self._children.options(),
        )
        isolated = self._table("isolated")
        for zone, subnet in subnets["public"].items():
            self._associate(f"public-{zone}", subnet, public)
        for zone, subnet in subnets["isolated"].items():
            self._associate(f"isolated-{zone}", subnet, isolated)
        gateways = {
            zone: ec2.NatGateway(
                zone,
                subnet_id=subnets["public"][zone].id,
                allocation_id=address.allocation_id,
                tags={"Name": f"{self._args.name}-{zone}"},
                opts=self._children.options(depends_on=[way_out]),
            )
            for zone, address in addresses.items()
        }
        only = next(iter(gateways.values()))
        tables = {"isolated": isolated}
        for zone, subnet in subnets["private"].items():
            name = f"private-{zone}"
            tables[name] = self._table(name)
            ec2.Route(
                name,
                route_table_id=tables[name].id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=gateways.get(zone, only).id,
                opts=self._children.options(),
            )
            self._associate(name, subnet, tables[name])
        return tables

    def _table(self, name: str) -> ec2.RouteTable:
        return ec2.RouteTable(
            name,
            vpc_id=self._vpc.id,
            tags={"Name": f"{self._args.name}-{name}"},
            opts=self._children.options(),
        )

    def _associate(self, name: str, subnet: ec2.Subnet, table: ec2.RouteTable) -> None:
        ec2.RouteTableAssociation(
            name,
            subnet_id=subnet.id,
            route_table_id=table.id,
            opts=self._children.options(),
        )
