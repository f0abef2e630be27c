"""In how many zones of a region an instance type is to be had.

The figures are `zones.csv`, beside this file: answers of EC2's own DescribeInstanceTypeOfferings by
zone, as moto 5.2.5 recorded them; a test compares them, and `python -m
tests.settings.aws.recorded_zones` writes them again.

They are by the zones' ids (`use1-az3`). Which letter a zone has is another one in each account, so
that only a number is certain before an account is asked; `corral doctor` asks it.
https://docs.aws.amazon.com/ram/latest/userguide/working-with-az-ids.html
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from corral.settings.aws.account import Aws
from corral.settings.aws.pools import EksPool
from corral.settings.problems import NotAllowedError, Problem, Said

ZONES_FILE = Path(__file__).parent / "zones.csv"

_BY_ACCOUNT = "`corral doctor` says which letters they have in your account"


def zones_of(region: str) -> frozenset[str]:
    """Ids of the region's zones, as recorded; none of a region that corral doesn't know."""
    return frozenset(_lacking().get(region, ()))


def zones_with(types: Collection[str], region: str) -> frozenset[str]:
    """Ids of the zones that had one of the types at least."""
    lacking = _lacking().get(region, {})
    return frozenset(
        zone
        for zone, lacks in lacking.items()
        if any(name not in lacks and name.partition(".")[0] not in lacks for name in types)
    )


def check_zone_count(region: str, count: int) -> None:
    """Raises NotAllowedError where the region has fewer zones than that."""
    there = zones_of(region)
    if there and count > len(there):
        raise NotAllowedError(
            rule=f"at most {len(there)} zones: {region} has no more", fix="name fewer zones"
        )


def check_offered_zones(types: Collection[str], region: str, count: int) -> None:
    """Raises NotAllowedError where fewer zones than that offer any of the types."""
    there = zones_of(region)
    able = zones_with(types, region)
    if there and count > len(able):
        named = " or ".join(types)
        raise NotAllowedError(
            rule=f"zones that offer its instances: {len(able)} of the {len(there)} zones of "
            f"{region} offer {named}, and nodes are wanted in {count}",
            fix=f"name {len(able)} zones for this pool ({_BY_ACCOUNT}), or other instances"
            if able
            else "name other instances",
        )


def zone_problems(aws: Aws, pools: Mapping[str, EksPool]) -> Iterator[Problem]:
    """What of the network's zones and of pools can't be, as far as numbers tell."""
    try:
        check_zone_count(aws.region, len(aws.network.zones))
    except NotAllowedError as refusal:
        yield _problem(("aws", "network", "zones"), aws.network.zones, refusal)
        return
    for name, pool in pools.items():
        zones = pool.zones or aws.network.zones
        types = [known.name for known in pool.instance_types]
        try:
            check_offered_zones(types, aws.region, len(zones))
        except NotAllowedError as refusal:
            yield _problem(("pools", name, "zones"), zones, refusal)


def _problem(path: tuple[str, ...], zones: Iterable[str], refusal: NotAllowedError) -> Problem:
    return Problem(path=path, value=Said(", ".join(zones)), rule=refusal.rule, fix=refusal.fix)


@cache
def _lacking() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Region → zone → families and single types that it lacks of what its region has."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    with ZONES_FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            lacks = (*row["lacks_families"].split(), *row["lacks_types"].split())
            found.setdefault(row["region"], {})[row["zone"]] = frozenset(lacks)
    return found
