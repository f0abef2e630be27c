"""A VPC that is there already: looked at, and left as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2

from components.children import Children
from corral.settings.aws.network import ExistingNetwork


@dataclass(frozen=True, kw_only=True)
class ExistingVpcArgs:
    """The settings, and the region that the letters of zones belong to."""

    region: str
    settings: ExistingNetwork


class ExistingVpc(pulumi.ComponentResource):
    """The subnets of somebody's VPC. Their ids are handed on only once each was seen to be what the
    settings say: of that VPC, in that zone, and without public addresses for nodes."""

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
                zone=f"{args.region}{zone}",
                vpc=args.settings.vpc_id,
            )
            for zone, subnet in sorted(args.settings.private_subnets.items())
        }
        self.vpc_id = pulumi.Output.from_input(args.settings.vpc_id)
        self.cidr = args.settings.cidr
        self.node_subnets = checked
        self.control_plane_subnets = checked
        self.egress_addresses = pulumi.Output.from_input([])
        self.register_outputs({"vpc_id": self.vpc_id})


def _checked(subnet: ec2.Subnet, *, name: str, zone: str, vpc: str) -> pulumi.Output[str]:
    """The subnet's id. Raises RunError with what is wrong with it, once it was looked at."""

    def check(seen: list[object]) -> str:
        problems = subnet_problems(
            vpc_id=str(seen[1]),
            zone=str(seen[2]),
            public=bool(seen[3]),
            want_zone=zone,
            want_vpc=vpc,
        )
        if problems:
            raise pulumi.RunError(
                f"aws.network.private-subnets: {name} {' and '.join(problems)}. Correct the stack "
                "file, or the subnet"
            )
        return str(seen[0])

    return pulumi.Output.all(
        subnet.id, subnet.vpc_id, subnet.availability_zone, subnet.map_public_ip_on_launch
    ).apply(check)


def subnet_problems(
    *, vpc_id: str, zone: str, public: bool, want_zone: str, want_vpc: str
) -> list[str]:
    """What keeps a subnet from carrying nodes; empty when nothing does."""
    problems = []
    if vpc_id != want_vpc:
        problems.append(f"is in {vpc_id}, not in {want_vpc}")
    if zone != want_zone:
        problems.append(f"is in zone {zone}, not in {want_zone}")
    if public:
        problems.append("gives public addresses to what starts in it")
    return problems
