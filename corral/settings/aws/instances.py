"""EC2's instance types: what each has, and what it can isolate.

The figures are `instances.csv` and `offerings.csv`, beside this file: answers of EC2's own
DescribeInstanceTypes and DescribeInstanceTypeOfferings as moto 5.2.5 recorded them. A test compares
them with that record; `python -m tests.settings.aws.recorded` writes them again. EC2 has gone on
since: what decides in an account is its own answer, which `corral doctor` asks for. Nested
virtualization was announced (2026-02-12) for c8i, m8i, r8i and their flex variants; EC2's recorded
answers have it for more families, generation 7i among them, and are followed here.

- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceTypeInfo.html
- nested virtualization: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/amazon-ec2-nested-virtualization.html
- SEV-SNP: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sev-snp.html
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from corral.settings.problems import NotAllowedError, nearest

Machines = Literal["virtual", "nested", "metal", "snp"]
"""What a node is: a virtual machine, one that can run microVMs, a whole host, or a virtual machine
whose memory is encrypted against the host."""

MACHINES: tuple[Machines, ...] = ("virtual", "nested", "metal", "snp")

SNP_REGIONS = ("eu-west-1", "us-east-2")
"""Where SEV-SNP can be switched on, whatever types a region offers."""

MIB = 2**20
GB = 10**9
_HERE = Path(__file__).parent
TYPES_FILE = _HERE / "instances.csv"
OFFERINGS_FILE = _HERE / "offerings.csv"


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """One instance type. Memory and disks in bytes."""

    name: str
    vcpus: int
    memory: int
    """Of the machine; the kernel and the kubelet take their part of it (see density)."""
    architecture: Literal["amd64", "arm64"]
    machines: frozenset[Machines]
    """What nodes of this type can be."""
    interfaces: int
    """Network interfaces on the default network card."""
    addresses: int
    """IPv4 addresses of each interface, its own first one included."""
    attachments: int
    """EBS volumes, the root volume included, with one network interface attached."""
    attachments_shared: bool
    """Whether each further network interface takes the place of a volume."""
    disks: int
    """Local NVMe disks."""
    disk: int
    """Size of each of them."""
    spot: bool
    """Whether it can be bought as spot."""

    @property
    def family(self) -> str:
        """`m8i` of m8i.2xlarge."""
        return self.name.partition(".")[0]

    @property
    def metal(self) -> bool:
        """Whether it is a whole host."""
        return "metal" in self.machines

    @property
    def kvm(self) -> bool:
        """Whether its nodes can have /dev/kvm: they are a host, or a guest that may nest."""
        return not self.machines.isdisjoint(("metal", "nested"))


def instances() -> MappingProxyType[str, Instance]:
    """All types that corral knows, by name; smallest first within each family."""
    return _instances()


def instance(name: str) -> Instance:
    """The type called `name`. Raises NotAllowedError with the nearest that there is."""
    known = instances()
    if name not in known:
        raise NotAllowedError(
            rule="an instance type that corral knows",
            fix=f"did you mean {meant}?"
            if (meant := _nearest_type(name, known))
            else f"use a type of one of these families: {', '.join(families())}",
        )
    return known[name]


def families() -> tuple[str, ...]:
    """The families that corral knows, sorted."""
    return tuple(sorted({known.family for known in instances().values()}))


def regions() -> tuple[str, ...]:
    """The regions whose offerings corral knows, sorted."""
    return tuple(sorted(_offerings()))


def offered(name: str, region: str) -> bool:
    """Whether the region had the type when it was recorded. A region that corral doesn't know is
    given the benefit of the doubt: EC2 itself says no when it must."""
    of_region = _offerings().get(region)
    return of_region is None or name in of_region or name.partition(".")[0] in of_region


def offering_regions(name: str) -> tuple[str, ...]:
    """The regions that had the type when it was recorded."""
    return tuple(region for region in regions() if offered(name, region))


def candidates(
    machines: Machines,
    *,
    region: str,
    architecture: Literal["amd64", "arm64"] = "amd64",
    among: Collection[str] = (),
) -> tuple[Instance, ...]:
    """Types that can be such machines in that region, least memory first (then by CPU and name).

    `among` restricts the families. Raises NotAllowedError where nothing is left, with the reason.
    """
    _possible(machines, region=region, architecture=architecture)
    able = [
        known
        for known in instances().values()
        if machines in known.machines
        and known.architecture == architecture
        and offered(known.name, region)
        and (not among or known.family in among)
    ]
    if not able:
        raise NotAllowedError(
            rule=f"machines that {region} offers: of {architecture} there is none that is "
            f"{machines}" + (f" among {', '.join(sorted(among))}" if among else ""),
            fix="choose another region, other families or other machines",
        )
    return tuple(sorted(able, key=lambda known: (known.memory, known.vcpus, known.name)))


def check_instance(
    name: str,
    *,
    machines: Machines,
    region: str,
    architecture: Literal["amd64", "arm64"] = "amd64",
    spot: bool = False,
) -> Instance:
    """The type, when nodes of it can be such machines in that region.

    Raises NotAllowedError: unknown, of the other architecture, without the feature, not in that
    region, or not to be had as spot.
    """
    found = instance(name)
    if found.architecture != architecture:
        raise NotAllowedError(
            rule=f"an instance type for {architecture}; {name} is {found.architecture}",
            fix=f"set architecture: {found.architecture}, or choose another type",
        )
    if machines not in found.machines:
        raise NotAllowedError(rule=_without(found, machines), fix=_instead(machines, region))
    _possible(machines, region=region, architecture=architecture)
    if not offered(name, region):
        there = offering_regions(name)
        raise NotAllowedError(
            rule=f"a type that {region} offers; {name} is in {', '.join(there) or 'no region'}",
            fix=_instead(machines, region),
        )
    if spot and not found.spot:
        raise NotAllowedError(
            rule=f"a type that is sold as spot; {name} isn't",
            fix="set capacity: on-demand, or choose another type",
        )
    return found


def _possible(machines: Machines, *, region: str, architecture: str) -> None:
    if machines == "snp" and region not in SNP_REGIONS:
        raise NotAllowedError(
            rule=f"SEV-SNP only in {' and '.join(SNP_REGIONS)}: {region} can't switch it on",
            fix=f"use {' or '.join(SNP_REGIONS)}, or other machines",
        )
    if architecture == "arm64" and machines in ("nested", "snp"):
        what = "nested virtualization" if machines == "nested" else "SEV-SNP"
        raise NotAllowedError(
            rule=f"amd64 for {machines} machines: no Graviton has {what}",
            fix="set architecture: amd64"
            + (", or machines: metal" if machines == "nested" else ", or other machines"),
        )


def _without(found: Instance, machines: Machines) -> str:
    """Why the type isn't such a machine."""
    match machines:
        case "nested":
            why = "is bare metal already" if found.metal else "has no nested virtualization"
        case "snp":
            why = "has no SEV-SNP"
        case "metal":
            why = "is a virtual machine"
        case "virtual":
            why = "is bare metal"
    return f"a type whose nodes can be {machines} machines; {found.name} {why}"


def _instead(machines: Machines, region: str) -> str:
    able = {
        known.family
        for known in instances().values()
        if machines in known.machines and offered(known.name, region)
    }
    if not able:
        return "choose another region, or other machines"
    sizes = {"metal": "the metal sizes of "}.get(machines, "")
    return f"in {region} use {sizes}{', '.join(sorted(able))}"


def _nearest_type(name: str, known: Collection[str]) -> str | None:
    """Of the same family, if there is such a family."""
    family = name.partition(".")[0]
    return nearest(name, [other for other in known if other.startswith(f"{family}.")]) or nearest(
        name, [other for other in known if other[:1] == name[:1]]
    )


@cache
def _instances() -> MappingProxyType[str, Instance]:
    with TYPES_FILE.open(encoding="utf-8", newline="") as file:
        read = [_read(row) for row in csv.DictReader(file)]
    return MappingProxyType({known.name: known for known in sorted(read, key=_order)})


def _order(known: Instance) -> tuple[str, int, int, str]:
    return (known.family, known.vcpus, known.memory, known.name)


def _read(row: dict[str, str]) -> Instance:
    architecture: Literal["amd64", "arm64"] = "arm64" if row["architecture"] == "arm64" else "amd64"
    return Instance(
        name=row["type"],
        vcpus=int(row["vcpus"]),
        memory=int(row["memory_mib"]) * MIB,
        architecture=architecture,
        machines=frozenset(_machines(row)),
        interfaces=int(row["interfaces"]),
        addresses=int(row["addresses"]),
        attachments=int(row["attachments"]),
        attachments_shared=row["attachment_limit"] == "shared",
        disks=int(row["disks"]),
        disk=int(row["disk_gb"]) * GB,
        spot=row["spot"] == "yes",
    )


def _machines(row: dict[str, str]) -> Iterator[Machines]:
    if row["metal"] == "yes":
        yield "metal"
        return
    yield "virtual"
    if row["nested"] == "yes":
        yield "nested"
    if row["snp"] == "yes":
        yield "snp"


@cache
def _offerings() -> dict[str, frozenset[str]]:
    """Region → families that it has in every size, and single types of families that it hasn't."""
    with OFFERINGS_FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["region"]: frozenset((*row["families"].split(), *row["types"].split()))
            for row in csv.DictReader(file)
        }
