"""docs/density.md, from the tables: `python -m corral.settings.aws.density_reference` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from corral.settings.aws.density import (
    DAEMON_CPU,
    DAEMON_MEMORY,
    DAEMON_PODS,
    Density,
    Limit,
    density,
    node_amounts,
    sandbox_amounts,
)
from corral.settings.aws.disks import USABLE_PERCENT
from corral.settings.aws.instances import Instance, Machines, instances
from corral.settings.aws.pools import DEFAULT_INSTANCES
from corral.settings.classes import AgentClass
from corral.settings.quantities import bytes_text, cpu_text, parse_bytes
from corral.settings.tiers import Tier

FILE = Path(__file__).parents[3] / "docs" / "density.md"

VOLUME = parse_bytes("500Gi")

_TIERS: dict[Machines, tuple[Tier, ...]] = {
    "virtual": (Tier.CONTAINER, Tier.GVISOR),
    "nested": (Tier.MICROVM,),
    "metal": (Tier.MICROVM,),
    "snp": (Tier.CONTAINER, Tier.GVISOR),
}

_LIMITS: dict[Limit, tuple[str, str]] = {
    "memory": (
        "its request and its runtime's overhead; a microVM its limit (divided by "
        "`memory-overcommit`) and overhead",
        "the machine's, less firmware and kernel (7.5 %), the kubelet's and the system's part, the "
        f"eviction threshold, and {bytes_text(DAEMON_MEMORY)} for the node's own pods",
    ),
    "cpu": (
        "its request and overhead",
        f"all, less the kubelet's and the system's part and {cpu_text(DAEMON_CPU)} for the node's "
        "own pods",
    ),
    "pods": ("one", f"the kubelet's `maxPods`, less {DAEMON_PODS} of the node's own"),
    "addresses": ("one", "what its network interfaces carry"),
    "volumes": (
        "the EBS volumes that it claims, its workspace among them where that is of kind `ebs`",
        "what EC2 attaches beside the root volume and a data volume for workspaces; on older types "
        "each further network interface takes the place of one",
    ),
    "disk": (
        "its ephemeral storage",
        "the root volume, less images, the system and the eviction threshold",
    ),
    "local-disk": (
        "its workspace, where that is of kind `local`",
        f"{USABLE_PERCENT} % of what the pool's `workspaces` are on: the instance's own disks, or "
        "a data volume",
    ),
    "processes": (
        "its processes; a microVM the threads of its VMM",
        "the kernel's `threads-max`, less what the kubelet keeps",
    ),
}

_ROWS = "\n".join(f"| {limit} | {takes} | {has} |" for limit, (takes, has) in _LIMITS.items())

_HEAD = f"""# Density on EC2
Generated from `corral/settings/aws/density.py` by `make reference`; a test compares it.

How many sandboxes a node holds is the least of eight limits. `corral plan STACK --offline` tells it
for the pools and classes of a stack, with the limit that binds; a tenant whose maximum no number of
its nodes reaches is refused.

| limit | what a sandbox takes | what a node has |
| --- | --- | --- |
{_ROWS}

The tables are for an agent class with nothing but a tier (2 CPU, 4Gi and 10Gi at most; 500m and 1Gi
requested) on nodes with a root volume of {bytes_text(VOLUME)}. In brackets: the limit that binds.
"""


def text() -> str:
    """The whole document."""
    return "\n".join([_HEAD, *_sections()])


def write() -> Path:
    """Writes the committed file; its path."""
    FILE.write_text(text(), encoding="utf-8")
    return FILE


def _sections() -> Iterator[str]:
    for machines, tiers in _TIERS.items():
        heads = [head for tier in tiers for head in (str(tier), f"{tier}, one EBS volume each")]
        yield f"## Machines `{machines}`"
        yield f"| type | CPU | memory | {' | '.join(heads)} |"
        yield "|" + " --- |" * (3 + len(heads))
        for kind in _shown(machines):
            found = [
                _cell(_density(kind, tier, volumes=volumes)) for tier in tiers for volumes in (0, 1)
            ]
            memory = f"{kind.memory // 2**30} GiB"
            yield f"| {kind.name} | {kind.vcpus} | {memory} | {' | '.join(found)} |"
        yield ""


def _shown(machines: Machines) -> Iterator[Instance]:
    """What pools take by default, and two sizes above where there are such."""
    known = instances()
    for (of, _), names in DEFAULT_INSTANCES.items():
        if of == machines:
            for name in names:
                kind = known[name]
                yield kind
                larger = [
                    other
                    for other in known.values()
                    if other.family == kind.family
                    and machines in other.machines
                    and other.vcpus > kind.vcpus
                ]
                yield from larger[:2]


def _density(kind: Instance, tier: Tier, *, volumes: int) -> Density:
    agent = AgentClass.model_validate({"tier": tier})
    node = node_amounts(kind, volume=VOLUME, network="overlay")
    return density(sandbox_amounts(agent, volumes=volumes), node)


def _cell(found: Density) -> str:
    return f"{found.sandboxes} ({found.binding})"


if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")
