"""Elastic IPs and subnets of egress gateways, and calico-node's rights to use them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
from pulumi_aws import ec2, eks, iam

from components.aws.network.existing import ExistingVpc
from components.aws.network.gateway_permissions import address_tags, calico_node_policy
from components.aws.network.network import Network
from components.aws.policies import pod_identity_trust
from components.children import Children
from components.network.enterprise.place import GatewayPlace, ZoneSubnet
from components.scaling.names import ClusterPlace
from corral.settings.aws.cidrs import egress_subnets
from corral.settings.aws.network import ExistingNetwork, NewNetwork
from corral.settings.egress_addresses import AddressSubnet, EgressGateways

CALICO_NAMESPACE, CALICO_NODE = "calico-system", "calico-node"
"""Where Calico's operator puts the part of Calico on each node, and its account."""


@dataclass(frozen=True, kw_only=True)
class EgressAddressesArgs:
    """The settings of gateways and of the network, and the network itself; letters of the zones
    that have nodes for gateways, and the names of these nodes' pools; the cluster, its name once it
    stands, and its nodes' security group; whether addresses are protected."""

    gateways: EgressGateways
    settings: NewNetwork | ExistingNetwork
    network: Network | ExistingVpc
    zones: Sequence[str]
    pools: Sequence[str]
    place: ClusterPlace
    cluster: pulumi.Input[str]
    security_group: pulumi.Input[str]
    protect: bool


class EgressAddresses(pulumi.ComponentResource):
    """What Calico Enterprise's egress gateways need of AWS: in each zone a subnet that nothing else
    is in, Elastic IPs, and a role of calico-node that reaches these and nothing else."""

    elastic_ips: pulumi.Output[list[str]]
    """The public addresses."""
    gateways: GatewayPlace
    """All of it, as Calico is told of it."""
    ready: tuple[pulumi.Resource, ...]
    """What must stand before calico-node starts: a pod that is there before it has a role gets none
    later."""

    def __init__(
        self, name: str, args: EgressAddressesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:aws:EgressAddresses", name, None, opts)
        self._children = Children(parent=self)
        self._args = args
        subnets = self._subnets()
        addresses = [
            ec2.Eip(
                f"egress-{number}",
                domain="vpc",
                tags={
                    "Name": f"{args.place.name}-egress-{number}",
                    **address_tags(args.place.name),
                },
                # Customers have it on their allowlists: released, it never comes back.
                opts=self._children.options(protect=args.protect),
            ).public_ip
            for number in range(1, args.gateways.addresses(len(args.zones)) + 1)
        ]
        self.elastic_ips = pulumi.Output.all(*addresses)
        self.ready = (self._identity([each.subnet for each in subnets.values()]),)
        self.gateways = GatewayPlace(
            replicas=args.gateways.count(len(args.zones)),
            subnets=subnets,
            elastic_ips=addresses,
            probes=args.gateways.probes,
        )
        self.register_outputs({"elastic_ips": self.elastic_ips})

    def _subnets(self) -> Mapping[str, ZoneSubnet]:
        args, region = self._args, self._args.place.region
        if isinstance(args.network, Network):
            plan = egress_subnets(IPv4Network(args.network.cidr), args.settings.zones)
            own = args.network
            return {f"{region}{zone}": self._made(own, zone, plan[zone]) for zone in args.zones}
        given = args.gateways.subnets
        return {f"{region}{zone}": self._found(zone, given[zone]) for zone in args.zones}

    def _made(self, own: Network, zone: str, network: IPv4Network) -> ZoneSubnet:
        args = self._args
        name = f"egress-{zone}"
        subnet = ec2.Subnet(
            name,
            vpc_id=own.vpc_id,
            availability_zone=f"{args.place.region}{zone}",
            cidr_block=str(network),
            map_public_ip_on_launch=False,
            tags={"Name": f"{args.place.name}-{name}", **address_tags(args.place.name)},
            opts=self._children.options(protect=args.protect),
        )
        # An Elastic IP works where the way out is the internet gateway itself.
        ec2.RouteTableAssociation(
            name,
            subnet_id=subnet.id,
            route_table_id=own.public_routes,
            opts=self._children.options(),
        )
        return ZoneSubnet(subnet=subnet.id, network=str(network))

    def _found(self, zone: str, given: AddressSubnet) -> ZoneSubnet:
        args = self._args
        found = ec2.Subnet.get(f"egress-{zone}", given.subnet, opts=self._children.options())

        def check(told: list[str]) -> str:
            subnet, vpc, *seen = told
            want = (vpc, f"{args.place.region}{zone}", given.network)
            if problems := subnet_differences(seen, want):
                raise pulumi.RunError(
                    f"network.calico.egress-gateways.subnets.{zone}: {given.subnet} "
                    f"{' and '.join(problems)}. Correct the stack file, or name another subnet"
                )
            return subnet

        outputs = (found.vpc_id, found.availability_zone, found.cidr_block)
        checked = pulumi.Output.all(found.id, args.network.vpc_id, *outputs).apply(check)
        return ZoneSubnet(subnet=checked, network=given.network)

    def _identity(self, subnets: Sequence[pulumi.Input[str]]) -> pulumi.Resource:
        args = self._args
        role = iam.Role(
            CALICO_NODE,
            name=f"{args.place.name}-{CALICO_NODE}",
            description=f"{CALICO_NODE}, by Pod Identity: addresses of egress gateways",
            assume_role_policy=json.dumps(pod_identity_trust()),
            opts=self._children.options(),
        )

        def policy(known: list[str]) -> str:
            group, *ids = known
            return json.dumps(
                calico_node_policy(args.place, subnets=ids, security_group=group, pools=args.pools)
            )

        rights = iam.RolePolicy(
            CALICO_NODE,
            name=CALICO_NODE,
            role=role.name,
            policy=pulumi.Output.all(args.security_group, *subnets).apply(policy),
            opts=self._children.options(),
        )
        return eks.PodIdentityAssociation(
            CALICO_NODE,
            cluster_name=args.cluster,
            namespace=CALICO_NAMESPACE,
            service_account=CALICO_NODE,
            role_arn=role.arn,
            opts=self._children.options(depends_on=[rights]),
        )


def subnet_differences(seen: Sequence[str], want: Sequence[str]) -> list[str]:
    """What of a subnet (its VPC, its zone, its network) isn't as the settings say."""
    told = ("is in {}, not in {}", "is in zone {}, not in {}", "has {}, not {}")
    return [
        text.format(found, wanted)
        for text, found, wanted in zip(told, seen, want, strict=True)
        if found != wanted
    ]
