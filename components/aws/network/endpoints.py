"""Ways to AWS' own services that don't leave the network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2, vpc

from components.aws.network.subnets import INTERFACE_ENDPOINTS, service_name
from components.aws.policies import endpoint_policy, storage_endpoint_policy
from components.children import Children

HTTPS = 443


@dataclass(frozen=True, kw_only=True)
class EndpointsArgs:
    """A VPC (its id and addresses) and the account that it is in, the subnets that interfaces stand
    in by zone, and the route tables that lead to S3 by name."""

    name: str
    region: str
    account: str
    vpc_id: pulumi.Input[str]
    cidr: str
    subnets: Mapping[str, pulumi.Input[str]]
    route_tables: Mapping[str, pulumi.Input[str]]


class Endpoints(pulumi.ComponentResource):
    """A gateway to S3 (images' layers), and an interface for each other service."""

    services: tuple[str, ...]
    """Services that have an endpoint."""

    def __init__(
        self, name: str, args: EndpointsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:aws:Endpoints", name, None, opts)
        children = Children(parent=self)
        ec2.VpcEndpoint(
            "s3",
            vpc_id=args.vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=service_name(args.region, "s3"),
            route_table_ids=list(args.route_tables.values()),
            policy=json.dumps(storage_endpoint_policy(args.account)),
            tags={"Name": f"{args.name}-s3"},
            opts=children.options(),
        )
        group = ec2.SecurityGroup(
            "endpoints",
            name=f"{args.name}-endpoints",
            description="HTTPS from within the network to the endpoints of AWS services",
            vpc_id=args.vpc_id,
            tags={"Name": f"{args.name}-endpoints"},
            opts=children.options(),
        )
        vpc.SecurityGroupIngressRule(
            "https",
            security_group_id=group.id,
            cidr_ipv4=args.cidr,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description="HTTPS from within the network",
            opts=children.options(),
        )
        for service in INTERFACE_ENDPOINTS:
            ec2.VpcEndpoint(
                service,
                vpc_id=args.vpc_id,
                vpc_endpoint_type="Interface",
                service_name=service_name(args.region, service),
                subnet_ids=list(args.subnets.values()),
                security_group_ids=[group.id],
                private_dns_enabled=True,
                policy=_policy(service, args.account),
                tags={"Name": f"{args.name}-{service}"},
                opts=children.options(),
            )
        self.services = ("s3", *INTERFACE_ENDPOINTS)
        self.register_outputs({"services": self.services})


def _policy(service: str, account: str) -> str | None:
    """What may go through an interface. `eks-auth` has the service's own policy: that it takes
    another is not documented; it gives pods' roles to nodes of the account's clusters alone."""
    if service == "eks-auth":
        return None
    return json.dumps(endpoint_policy(service.partition(".")[0], account))
