"""Whether an account's quotas leave room for what a stack will have.

Codes: https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html. All types that
corral knows (families c, m, r, i, t) share EC2's quota of Standard instances.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil

from components.aws.nodes.volumes import node_volumes
from corral.aws_account.errors import Refused
from corral.preflight.aws.ground import Entry, Ground
from corral.preflight.finding import Finding, failure, ok, warning
from corral.settings.aws.instances import instances
from corral.settings.aws.pools import EksPool

GIB_OF_TIB = 1024

_LIVE = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a stack takes: at once, and at most."""

    first: int
    most: int


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One quota of a region: `need` of the stack, and what everybody else `used` already."""

    service: str
    code: str
    what: str
    need: Callable[[Ground], Need]
    used: Callable[[Ground], int]


def look(ground: Ground) -> Iterator[Finding]:
    """Each quota that the stack comes near to."""
    for quota in QUOTAS:
        need = quota.need(ground)
        if need.most:
            yield _judged(quota, need, ground)


def _judged(quota: Quota, need: Need, ground: Ground) -> Finding:
    limit = _limit(quota, ground)
    used = quota.used(ground)
    wanted = str(need.first) if need.first == need.most else f"{need.first} to {need.most}"
    what = f"{quota.what}: {wanted} wanted, {used} of {limit} in use by others"
    raised = used + need.most
    fix = (
        f"aws service-quotas request-service-quota-increase --region {ground.aws.region} "
        f"--service-code {quota.service} --quota-code {quota.code} --desired-value {raised}"
    )
    if used + need.first > limit:
        return failure(
            what, why="AWS refuses what is over the quota, in the middle of `up`", fix=fix
        )
    if raised > limit:
        return warning(
            what, why="the stack starts, and can't grow as far as its file allows", fix=fix
        )
    return ok(what)


def _limit(quota: Quota, ground: Ground) -> int:
    """The account's own value; AWS' default where it never had one."""
    asked = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    try:
        found = ground.account.ask("service-quotas", "get_service_quota", **asked)
    except Refused as error:
        if error.code != "NoSuchResourceException":
            raise
        found = ground.account.ask("service-quotas", "get_aws_default_service_quota", **asked)
    return int(found["Quota"]["Value"])


def _vcpus(*, spot: bool) -> Callable[[Ground], Need]:
    def need(ground: Ground) -> Need:
        first = most = 0
        for pool in ground.pools.values():
            if (pool.capacity == "spot") == spot:
                each = max(kind.vcpus for kind in pool.instance_types)
                first += each * _at_first(pool)
                most += each * pool.nodes
        return Need(first=first, most=most)

    return need


def _at_first(pool: EksPool) -> int:
    """Reserved nodes count from the moment that they are reserved."""
    return max(pool.nodes_at_first, pool.reserved_nodes)


def _running(*, spot: bool) -> Callable[[Ground], int]:
    def used(ground: Ground) -> int:
        vcpus: int = sum(
            _cores(instance)
            for instance in ground.others(
                instance
                for reservation in ground.account.every(
                    "ec2", "describe_instances", "Reservations", Filters=_LIVE
                )
                for instance in reservation["Instances"]
            )
            if (instance.get("InstanceLifecycle") == "spot") == spot
        )
        return vcpus if spot else vcpus + _held(ground)

    return used


def _cores(instance: Entry) -> int:
    options = instance.get("CpuOptions") or {}
    return int(options.get("CoreCount", 1)) * int(options.get("ThreadsPerCore", 1))


def _held(ground: Ground) -> int:
    """vCPUs that others reserved and don't use: EC2 counts them as running."""
    active = [{"Name": "state", "Values": ["active"]}]
    return sum(
        int(reservation["AvailableInstanceCount"]) * instances()[reservation["InstanceType"]].vcpus
        for reservation in ground.others(
            ground.account.every(
                "ec2", "describe_capacity_reservations", "CapacityReservations", Filters=active
            )
        )
        if reservation["InstanceType"] in instances()
    )


def _storage(ground: Ground) -> Need:
    first = most = 0
    for pool in ground.pools.values():
        each = sum(volume.size for volume in node_volumes(pool))
        first += pool.nodes_at_first * each
        most += pool.nodes * each
    return Need(first=ceil(first / GIB_OF_TIB), most=ceil(most / GIB_OF_TIB))


def _stored(ground: Ground) -> int:
    gp3 = [{"Name": "volume-type", "Values": ["gp3"]}]
    volumes = ground.account.every("ec2", "describe_volumes", "Volumes", Filters=gp3)
    gib: int = sum(volume["Size"] for volume in ground.others(volumes))
    return ceil(gib / GIB_OF_TIB)


def _planned(kind: str) -> Callable[[Ground], Need]:
    def need(ground: Ground) -> Need:
        count = ground.count(kind)
        return Need(first=count, most=count)

    return need


def _there(operation: str, key: str) -> Callable[[Ground], int]:
    return lambda ground: len(ground.others(ground.account.every("ec2", operation, key)))


def _nat_in_a_zone(ground: Ground) -> Need:
    """Most NAT gateways of the stack in one zone: one, where it has any."""
    most = min(1, ground.count("aws:ec2/natGateway:NatGateway"))
    return Need(first=most, most=most)


def _nat_there(ground: Ground) -> int:
    """Most NAT gateways of others in one of the stack's zones."""
    live = [{"Name": "state", "Values": ["pending", "available", "deleting"]}]
    subnets = {
        subnet["SubnetId"]: subnet["AvailabilityZone"]
        for subnet in ground.account.every("ec2", "describe_subnets", "Subnets")
    }
    gateways = ground.others(
        ground.account.every("ec2", "describe_nat_gateways", "NatGateways", Filter=live)
    )
    by_zone = Counter(subnets.get(gateway["SubnetId"]) for gateway in gateways)
    return max((by_zone[f"{ground.aws.region}{z}"] for z in ground.aws.network.zones), default=0)


def _clusters(ground: Ground) -> int:
    names = ground.account.every("eks", "list_clusters", "clusters")
    return sum(1 for name in names if name != ground.cluster.name)


QUOTAS = (
    Quota(
        service="ec2",
        code="L-1216C47A",
        what="vCPUs of Standard instances on demand, reserved ones included",
        need=_vcpus(spot=False),
        used=_running(spot=False),
    ),
    Quota(
        service="ec2",
        code="L-34B43A08",
        what="vCPUs of Standard instances as spot",
        need=_vcpus(spot=True),
        used=_running(spot=True),
    ),
    Quota(
        service="ebs",
        code="L-7A658B76",
        what="TiB of gp3 volumes (nodes' own)",
        need=_storage,
        used=_stored,
    ),
    Quota(
        service="ec2",
        code="L-0263D0A3",
        what="Elastic IP addresses",
        need=_planned("aws:ec2/eip:Eip"),
        used=_there("describe_addresses", "Addresses"),
    ),
    Quota(
        service="vpc",
        code="L-F678F1CE",
        what="VPCs",
        need=_planned("aws:ec2/vpc:Vpc"),
        used=_there("describe_vpcs", "Vpcs"),
    ),
    Quota(
        service="vpc",
        code="L-A4707A72",
        what="internet gateways",
        need=_planned("aws:ec2/internetGateway:InternetGateway"),
        used=_there("describe_internet_gateways", "InternetGateways"),
    ),
    Quota(
        service="vpc",
        code="L-FE5A380F",
        what="NAT gateways in a zone",
        need=_nat_in_a_zone,
        used=_nat_there,
    ),
    Quota(
        service="eks",
        code="L-1194D53C",
        what="EKS clusters",
        need=_planned("aws:eks/cluster:Cluster"),
        used=_clusters,
    ),
)
