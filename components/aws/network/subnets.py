"""Names and tags of a network's parts."""

from __future__ import annotations

from corral.settings.aws.cidrs import SubnetKind

_LOAD_BALANCERS: dict[SubnetKind, dict[str, str]] = {
    "public": {"kubernetes.io/role/elb": "1"},
    "private": {"kubernetes.io/role/internal-elb": "1"},
    "isolated": {},
}
"""By these tags load balancer controllers find their subnets."""

INTERFACE_ENDPOINTS = ("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "logs", "sts")
"""AWS' services that nodes talk to without leaving the network, by the end of their names."""


def subnet_tags(network: str, kind: SubnetKind, zone: str) -> dict[str, str]:
    """Tags of one subnet: its name, and what may be put there."""
    return {"Name": f"{network}-{kind}-{zone}", **_LOAD_BALANCERS[kind]}


def service_name(region: str, service: str) -> str:
    """What an endpoint's service is called: `com.amazonaws.eu-west-1.s3`."""
    return f"com.amazonaws.{region}.{service}"
