"""What every look at an AWS account starts from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from components.tags import STACK_TAG
from corral.aws_account.errors import Refused
from corral.aws_account.reading import AwsAccount
from corral.embedded.engine.offline import PlannedResource
from corral.settings.aws.account import Aws
from corral.settings.aws.pools import EksPool
from corral.settings.aws.room import eks_pools
from corral.settings.cluster import EksCluster
from corral.settings.stack import Settings

Entry = Mapping[str, Any]
"""One thing as AWS describes it."""


def batches(names: Sequence[str], most: int) -> Iterator[list[str]]:
    """The names in order, that many at once."""
    return (list(names[begin : begin + most]) for begin in range(0, len(names), most))


@dataclass(frozen=True)
class Ground:
    """A stack, what its program would register, and its account."""

    stacks: Collection[str]
    """What an engine calls it: one name, or one for each of its layers."""
    settings: Settings
    aws: Aws
    cluster: EksCluster
    plan: Collection[PlannedResource]
    account: AwsAccount

    @property
    def pools(self) -> dict[str, EksPool]:
        """Its node pools, by name."""
        return eks_pools(self.settings.pools)

    def zones(self, pool: EksPool) -> tuple[str, ...]:
        """The zones of a pool by name: `eu-west-1a`."""
        return tuple(f"{self.aws.region}{zone}" for zone in pool.zones or self.aws.network.zones)

    def registered(self, kind: str) -> Iterator[PlannedResource]:
        """Resources of that type."""
        return (resource for resource in self.plan if resource.type == kind)

    def count(self, kind: str) -> int:
        """How many resources of that type there will be."""
        return sum(1 for _ in self.registered(kind))

    def others(self, entries: Iterable[Entry]) -> list[Entry]:
        """Those that this stack didn't make, by their tags: what it has isn't wanted again."""
        return [entry for entry in entries if not self._own(entry)]

    def _own(self, entry: Entry) -> bool:
        tags = entry.get("Tags") or ()
        return any(tag["Key"] == STACK_TAG and tag["Value"] in self.stacks for tag in tags)

    @cached_property
    def standing(self) -> Entry | None:
        """The cluster, where it stands already."""
        try:
            found: Entry = self.account.ask("eks", "describe_cluster", name=self.cluster.name)
        except Refused as error:
            if error.code == "ResourceNotFoundException":
                return None
            raise
        cluster: Entry = found["cluster"]
        return cluster
