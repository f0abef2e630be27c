"""Pools and the documents that Karpenter gets for them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from components.scaling.names import ClusterPlace, bursts
from components.scaling.node_class import node_class_document
from components.scaling.node_pool import drain_hours, node_pool_document
from corral.settings.aws.pools import EksPool
from corral.settings.loading import load_stack_file
from corral.settings.runtimes import GVISOR_SOURCE
from corral.settings.stack import Settings

STACKS = Path(__file__).parents[3] / "stacks"
SHIPPED = ("dev", "staging", "prod", "byoc-example")

PLACE = ClusterPlace(name="corral-test", account="123456789012", region="eu-west-1")


@cache
def shipped(stack: str) -> Settings:
    """The settings of a shipped stack."""
    return load_stack_file(STACKS / f"Pulumi.{stack}.yaml")


def pool(**fields: Any) -> EksPool:
    """A pool of virtual machines for gVisor, or what `fields` say, with their keys' underscores
    for hyphens."""
    said = {"tier": "gvisor", "machines": "virtual", "max_nodes": 4, **fields}
    return EksPool.model_validate({key.replace("_", "-"): said[key] for key in said})


def node_class(found: EksPool, name: str = "pool", stack: str = "prod") -> dict[str, Any]:
    """The node class of a pool in a shipped stack's network."""
    aws = shipped(stack).aws
    assert aws is not None
    return node_class_document(
        name,
        found,
        place=PLACE,
        network=aws.network,
        gvisor_source=GVISOR_SOURCE,
        tags={"team": "agents"},
    )


def node_pool(found: EksPool, name: str = "pool", stack: str = "prod") -> dict[str, Any]:
    """The node pool of a pool with a shipped stack's classes."""
    settings = shipped(stack)
    return node_pool_document(
        name,
        found,
        hours=drain_hours(found, settings.classes.values()),
        zones=["eu-west-1a", "eu-west-1b"],
    )


VARIED: dict[str, EksPool] = {
    "nested": pool(tier="microvm", machines="nested", min_nodes=1),
    "metal": pool(tier="microvm", machines="metal"),
    "reserved": pool(
        tier="microvm", machines="metal", capacity="reserved", reserved_nodes=3, min_nodes=2
    ),
    "spot": pool(capacity="spot"),
    "container": pool(tier="container", architecture="arm64"),
    "platform": pool(tier=None, min_nodes=2),
    "data": pool(tier="microvm", machines="nested", workspaces={"kind": "volume", "size": "300Gi"}),
}


def of_shipped_stacks() -> Iterator[tuple[str, str, EksPool]]:
    """Stack, name and pool of each that Karpenter may start nodes of."""
    for stack in SHIPPED:
        for name, found in shipped(stack).pools.items():
            if isinstance(found, EksPool) and bursts(found):
                yield stack, name, found
