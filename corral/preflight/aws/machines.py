"""Whether EC2 offers what pools ask for, in each of their zones, with what it has to be able to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from corral.preflight.aws.ground import Entry, Ground, batches
from corral.preflight.finding import Finding, failure, ok, warning
from corral.settings.aws.instances import Machines
from corral.settings.aws.pools import EksPool

MOST_NAMES = 100
"""Instance types that EC2 describes in one answer by name."""

_FEATURE: dict[Machines, str] = {"nested": "nested-virtualization", "snp": "amd-sev-snp"}
_ARCHITECTURE = {"amd64": "x86_64", "arm64": "arm64"}


def look(ground: Ground) -> Iterator[Finding]:
    """Zones, then each pool's types in its zones, then what those types can do."""
    open_zones = {
        zone["ZoneName"]
        for zone in ground.account.every("ec2", "describe_availability_zones", "AvailabilityZones")
        if zone["State"] == "available"
    }
    for letter in ground.aws.network.zones:
        zone = f"{ground.aws.region}{letter}"
        if zone not in open_zones:
            yield failure(
                f"zone {zone} is none that this account has",
                why="subnets and nodes of the stack go there",
                fix=f"use {_or(sorted(open_zones))} in aws.network",
            )
    names = sorted({kind.name for pool in ground.pools.values() for kind in pool.instance_types})
    offered = _offered(ground, names)
    described = _described(ground, sorted({name for zone in offered.values() for name in zone}))
    for name, pool in ground.pools.items():
        yield from _in_zones(name, pool, ground, offered)
        yield from _able(name, pool, described)


def _offered(ground: Ground, names: Sequence[str]) -> dict[str, set[str]]:
    """Types by zone."""
    found: dict[str, set[str]] = {}
    for some in batches(names, MOST_NAMES):
        for offer in ground.account.every(
            "ec2",
            "describe_instance_type_offerings",
            "InstanceTypeOfferings",
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": some}],
        ):
            found.setdefault(offer["Location"], set()).add(offer["InstanceType"])
    return found


def _described(ground: Ground, names: Sequence[str]) -> dict[str, Entry]:
    return {
        kind["InstanceType"]: kind
        for some in batches(names, MOST_NAMES)
        for kind in ground.account.every(
            "ec2", "describe_instance_types", "InstanceTypes", InstanceTypes=some
        )
    }


def _in_zones(
    name: str, pool: EksPool, ground: Ground, offered: dict[str, set[str]]
) -> Iterator[Finding]:
    types = {kind.name for kind in pool.instance_types}
    everywhere = True
    for zone in ground.zones(pool):
        there = offered.get(zone, set())
        if missing := sorted(types - there):
            everywhere = False
            elsewhere = sorted(z for z, has in offered.items() if types & has)
            if not types & there:
                yield failure(
                    f"pool {name}: {zone} offers no {_or(sorted(types))}",
                    why="its nodes in that zone never come",
                    fix=f"name other instances, or zones of {_or(elsewhere)} for this pool"
                    if elsewhere
                    else "name other instances",
                )
            else:
                yield warning(
                    f"pool {name}: {zone} offers no {_or(missing)}",
                    why="nodes there have fewer types to come as",
                    fix="nothing, if the other types are enough",
                )
    if everywhere:
        yield ok(f"pool {name}: {', '.join(sorted(types))} in {', '.join(ground.zones(pool))}")


def _able(name: str, pool: EksPool, described: dict[str, Entry]) -> Iterator[Finding]:
    for kind in pool.instance_types:
        if kind.name not in described:
            continue  # not offered, which was said
        for lack in _lacks(pool, described[kind.name]):
            yield failure(
                f"pool {name}: EC2 says that {kind.name} {lack}",
                why=f"its nodes are meant to be {pool.machines} machines of {pool.architecture}",
                fix="name other instances",
            )


def _lacks(pool: EksPool, kind: Entry) -> Iterator[str]:
    processor = kind["ProcessorInfo"]
    feature = _FEATURE.get(pool.machines)
    if feature and feature not in processor.get("SupportedFeatures", ()):
        yield f"has no {feature} in this region"
    if (pool.machines == "metal") != kind["BareMetal"]:
        yield "is bare metal" if kind["BareMetal"] else "is a virtual machine"
    if _ARCHITECTURE[pool.architecture] not in processor["SupportedArchitectures"]:
        yield f"is {', '.join(processor['SupportedArchitectures'])}"
    if pool.capacity == "spot" and "spot" not in kind["SupportedUsageClasses"]:
        yield "isn't sold as spot"


def _or(names: Iterable[str]) -> str:
    return " or ".join(names)
