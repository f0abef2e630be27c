"""The embedded cluster of a stack: its pools become simulated nodes.

It stands between rooms that don't know each other: settings, what nodes must carry (components)
and the cluster itself (embedded).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pulumi

from components.isolation.node_labels import node_capacity, node_labels, node_taints
from corral.embedded.cluster import (
    ClusterStatus,
    EmbeddedCluster,
    Progress,
    SimulatedNode,
    default_cache,
)
from corral.project import STATE_FOLDER
from corral.settings.cluster import EmbeddedCluster as Embedded
from corral.settings.pools import AnyPool
from corral.settings.stack import Settings


def embedded_cluster(state: Path) -> EmbeddedCluster:
    """The cluster whose state is in that folder, running or not."""
    return EmbeddedCluster(state=state, cache=default_cache())


def start_cluster(
    *, state: Path, pools: Mapping[str, AnyPool], progress: Progress
) -> ClusterStatus:
    """Starts it, or finds it running, with just these pools' nodes."""
    return embedded_cluster(state).start(simulated_nodes(pools), progress)


def simulated_nodes(pools: Mapping[str, AnyPool]) -> list[SimulatedNode]:
    """One simulated node for every node of every pool, named `<pool>-<n>`."""
    return [
        SimulatedNode(
            name=f"{name}-{number}",
            labels=node_labels(name, pool),
            taints=node_taints(pool),
            capacity=node_capacity(pool),
            architecture=pool.architecture,
        )
        for name, pool in pools.items()
        for number in range(1, pool.nodes + 1)
    ]


def ensure_running(settings: Settings) -> None:
    """For the program, under any engine: starts the stack's embedded cluster unless it runs.
    Nothing for a stack whose cluster is somewhere else."""
    if not isinstance(settings.cluster, Embedded):
        return
    state = Path.cwd() / STATE_FOLDER
    if not embedded_cluster(state).status().running:
        start_cluster(state=state, pools=settings.pools, progress=_EngineLog())


class _EngineLog:
    """Progress as messages of the engine that runs the program."""

    def step(self, name: str, detail: str = "") -> None:
        """Shown by Pulumi beside the stack."""
        pulumi.log.info(f"{name}  {detail}".rstrip())
