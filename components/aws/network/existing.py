"""A VPC that is there already: looked at, and left as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
from pulumi_aws import ec2

from components.children import Children
from corral.settings.aws.cidrs import RESERVED_ADDRESSES
from corral.settings.aws.network import ExistingNetwork


@dataclass(frozen=True, kw_only=True)
class ExistingVpcArgs:
    """The settings; the region that the letters of zones belong to; by zone the addresses that
    nodes may come to need."""

    region: str
    settings: ExistingNetwork
    needs: Mapping[str, int]


class ExistingVpc(pulumi.ComponentResource):
    """The subnets of somebody's VPC. Their ids are handed on only once each was seen to be what the
    settings say: of that VPC and its addresses, in that zone, large enough, and without public
    addresses for nodes. What else is in them, and the ways out, `corral doctor` looks at."""

    vpc_id: pulumi.Output[str]
    cidr: str
    node_subnets: Mapping[str, pulumi.Output[str]]
    control_plane_subnets: Mapping[str, pulumi.Output[str]]
    egress_addresses: pulumi.Output[list[str]]
    """None that we know of: NAT is the owner's."""

    def __init__(
        self, name: str, args: ExistingVpcArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:aws:ExistingVpc", name, None, opts)
        children = Children(parent=self)
        checked = {
            zone: _checked(
                ec2.Subnet.get(f"private-{zone}", subnet, opts=children.options()),
                name=subnet,
                want=WantedSubnet(
                    vpc=args.settings.vpc_id,
                    zone=f"{args.region}{zone}",
                    within=IPv4Network(args.settings.cidr),
                    addresses=args.needs[zone],
                ),
            )
            for zone, subnet in sorted(args.settings.private_subnets.items())
        }
        self.vpc_id = pulumi.Output.from_input(args.settings.vpc_id)
        self.cidr = args.settings.cidr
        self.node_subnets = checked
        self.control_plane_subnets = checked
        self.egress_addresses = pulumi.Output.from_input([])
        self.register_outputs({"vpc_id": self.vpc_id})


@dataclass(frozen=True, kw_only=True)
class WantedSubnet:
    """What the settings say of a subnet, and how many addresses nodes may come to need in it."""

    vpc: str
    zone: str
    within: IPv4Network
    addresses: int


def _checked(subnet: ec2.Subnet, *, name: str, want: WantedSubnet) -> pulumi.Output[str]:
    """The subnet's id. Raises RunError with what is wrong with it, once it was looked at."""

    def check(seen: list[object]) -> str:
        problems = subnet_problems(
            vpc_id=str(seen[1]),
            zone=str(seen[2]),
            public=bool(seen[3]),
            cidr=IPv4Network(str(seen[4])),
            want=want,
        )
        if problems:
            raise pulumi.RunError(
                f"aws.network.private-subnets: {name} {' and '.join(problems)}. Correct the stack "
                "file, or the subnet"
            )
        return str(seen[0])

    return pulumi.Output.all(
        subnet.id,
        subnet.vpc_id,
        subnet.availability_zone,
        subnet.map_public_ip_on_launch,
        subnet.cidr_block,
    ).apply(check)


def subnet_problems(
    *, vpc_id: str, zone: str, public: bool, cidr: IPv4Network, want: WantedSubnet
) -> list[str]:
    """What keeps a subnet from carrying nodes; empty when nothing does."""
    problems = []
    if vpc_id != want.vpc:
        problems.append(f"is in {vpc_id}, not in {want.vpc}")
    if zone != want.zone:
        problems.append(f"is in zone {zone}, not in {want.zone}")
    if not cidr.subnet_of(want.within):
        problems.append(
            f"has {cidr}, outside of aws.network.cidr {want.within}, which pods and services keep "
            "clear of"
        )
    if (there := cidr.num_addresses - RESERVED_ADDRESSES) < want.addresses:
        problems.append(f"has {there} addresses, and nodes may come to need {want.addresses}")
    if public:
        problems.append("gives public addresses to what starts in it")
    return problems
