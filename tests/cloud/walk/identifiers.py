"""Whether what is named exists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.cloud.running import World

IDENTIFIER: Final = re.compile(
    r"\b((?:vpc|subnet|igw|nat|rtb|sg|eipalloc|vpce|lt)-[0-9a-f]{8,17})\b"
    r"|(arn:aws:(?:iam|kms|logs|sqs|eks|ec2|autoscaling|s3):[^\s\"'*]+)"
)
AWS_OWN: Final = "arn:aws:iam::aws:"
LISTS: Final[dict[str, tuple[str, str, str]]] = {
    "vpc": ("describe_vpcs", "Vpcs", "VpcId"),
    "subnet": ("describe_subnets", "Subnets", "SubnetId"),
    "igw": ("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    "nat": ("describe_nat_gateways", "NatGateways", "NatGatewayId"),
    "rtb": ("describe_route_tables", "RouteTables", "RouteTableId"),
    "sg": ("describe_security_groups", "SecurityGroups", "GroupId"),
    "eipalloc": ("describe_addresses", "Addresses", "AllocationId"),
    "vpce": ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "lt": ("describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
}


def identifiers_exist(world: World) -> list[str]:
    """Every identifier of EC2 and every role or key by ARN, wherever it stands in an input (in
    policy documents too), is one of something that stands in the account."""
    exists = _existing(world)
    wrong = []
    for one in world.executor.created:
        for text in _texts(one.inputs):
            for found in IDENTIFIER.finditer(text):
                named = found.group(0)
                known = exists(named)
                if known is False:
                    wrong.append(f"{one.type} {one.name} names {named}, which doesn't exist")
    return wrong


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _existing(world: World) -> Callable[[str], bool | None]:
    """Whether something exists; None for what isn't judged: patterns, AWS' own, other accounts'."""
    ec2, iam, kms = (world.account.client(name) for name in ("ec2", "iam", "kms"))
    ids: set[str] = set()
    for operation, listed, key in LISTS.values():
        ids |= {one[key] for one in getattr(ec2, operation)()[listed] if key in one}
    arns = {role["Arn"] for role in iam.list_roles()["Roles"]}
    arns |= {policy["Arn"] for policy in iam.list_policies(Scope="Local")["Policies"]}
    arns |= {one["Arn"] for one in iam.list_instance_profiles()["InstanceProfiles"]}
    arns |= {key["KeyArn"] for key in kms.list_keys()["Keys"]}
    judged = (f"arn:aws:iam::{world.account.id}:", f"arn:aws:kms:{world.account.region}:")
    skipped = (f"arn:aws:iam::{world.account.id}:root",)

    def exists(named: str) -> bool | None:
        if not named.startswith("arn:"):
            return named in ids
        if not named.startswith(judged) or named in skipped or named.endswith("/"):
            return None
        if ":role/aws-service-role/" in named:  # a service of AWS makes its own
            return None
        return named in arns

    return exists
