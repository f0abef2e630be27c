"""Whose account a stack is in, and who reaches its cluster's API server."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from corral.settings.aws.account import Aws
from corral.settings.aws.cidrs import PRIVATE_RANGES
from corral.settings.aws.instances import regions
from corral.settings.aws.tags import tag_problems
from corral.settings.aws.texts import partition
from corral.settings.cluster import EksCluster
from corral.settings.problems import Problem, nearest

WIDEST_ACCESS = 8
"""Shortest prefix that may reach a public endpoint: anything wider is the internet."""


def account_problems(aws: Aws) -> Iterator[Problem]:
    """Region, role and tags."""
    if aws.role is not None and f"::{aws.account_id}:" not in aws.role.arn:
        yield Problem(
            path=("aws", "role", "arn"),
            value=aws.role.arn,
            rule=f"a role in the stack's own account, {aws.account_id}",
            fix="correct the role's ARN or account-id: a stack never reaches into another account",
        )
    if aws.role is not None and aws.role.arn.split(":")[1] != partition(aws.region):
        yield Problem(
            path=("aws", "role", "arn"),
            value=aws.role.arn,
            rule=f"a role where {aws.region} is: arn:{partition(aws.region)}:iam::…",
            fix="correct the role's ARN or the region",
        )
    if aws.region not in regions():
        near = nearest(aws.region, regions())
        yield Problem(
            path=("aws", "region"),
            value=aws.region,
            rule="a region whose instance types corral knows: nothing could be said of any other",
            fix=f"write {near}" if near else f"write one of {', '.join(regions())}",
        )
    yield from tag_problems(aws)


def access_problems(cluster: EksCluster, aws: Aws) -> Iterator[Problem]:
    """Networks and administrators."""
    for position, cidr in enumerate(cluster.private_access):
        if cidr == aws.network.cidr or cidr in cluster.private_access[:position]:
            yield Problem(
                path=("cluster", "private-access", position),
                value=cidr,
                rule="each network once; the VPC's own is let in without being named",
                fix="remove it",
            )
    for position, cidr in enumerate(cluster.public_access):
        if IPv4Network(cidr).prefixlen < WIDEST_ACCESS:
            yield Problem(
                path=("cluster", "public-access", position),
                value=cidr,
                rule=f"networks that you know, of /{WIDEST_ACCESS} or longer: the API server is "
                "never open to the internet",
                fix="name the addresses of your offices, VPN or CI",
            )
        elif any(IPv4Network(cidr).overlaps(private) for private in PRIVATE_RANGES):
            yield Problem(
                path=("cluster", "public-access", position),
                value=cidr,
                rule="addresses of the internet: EKS refuses private ones here",
                fix="name the public addresses that these have out there, or remove it",
            )
    names = [role.rpartition("/")[2] for role in cluster.administrators]
    for position, role in enumerate(cluster.administrators):
        if aws.role is not None and role == aws.role.arn:
            rule = "roles besides aws.role: it makes the cluster, and EKS gives it an entry itself"
        elif names[position] in names[:position]:
            rule = "each role once: in an account a name has one role, whatever its path"
        else:
            continue
        yield Problem(
            path=("cluster", "administrators", position), value=role, rule=rule, fix="remove it"
        )
