"""What a node is told and carries, whoever starts it: a group of its pool, or Karpenter."""

from __future__ import annotations

from dataclasses import asdict

from components.aws.nodes.kata import is_kata
from components.aws.nodes.kubelet import KubeletArgs
from components.aws.nodes.user_data import ClusterFacts, GvisorRelease, NodeArgs
from components.aws.nodes.workspace_disks import workspace_disks
from components.isolation.node_labels import node_labels, node_taints, served
from components.isolation.verification import (
    KATA_LABEL,
    PROCESSES_LABEL,
    unproven_labels,
    unproven_taints,
)
from components.versions import GVISOR, GVISOR_SHA512, KATA
from corral.settings.aws.pools import EksPool
from corral.settings.runtimes import GVISOR_SOURCE
from corral.settings.tiers import Tier


def node_args(
    name: str,
    pool: EksPool,
    cluster: ClusterFacts | None,
    *,
    gvisor_source: str = GVISOR_SOURCE,
) -> NodeArgs:
    """What all nodes of the pool called `name` are told."""
    release = GvisorRelease(
        version=GVISOR, sha512=GVISOR_SHA512.get(pool.architecture, ""), source=gvisor_source
    )
    return NodeArgs(
        cluster=cluster,
        kubelet=kubelet_args(pool),
        runtimes=tuple(served(pool)),
        architecture=pool.architecture,
        labels=labels_at_first(name, pool),
        taints=[*node_taints(pool), *startup_taints(pool)],
        gvisor=release if pool.tier == Tier.GVISOR else None,
        disks=workspace_disks(pool),
    )


def kubelet_args(pool: EksPool) -> KubeletArgs:
    """The pool's figures for the kubelet."""
    figures = pool.allocatable
    return KubeletArgs(pods=figures.pods, processes=pool.processes, **asdict(figures.reserved))


def labels_at_first(name: str, pool: EksPool) -> dict[str, str]:
    """Labels of a node of the pool called `name` that just joined."""
    runtimes = served(pool)
    labels = {**node_labels(name, pool), **unproven_labels(runtimes)}
    if any(is_kata(runtime) for runtime in runtimes):
        labels |= {KATA_LABEL: KATA, PROCESSES_LABEL: str(pool.processes)}
    return labels


def startup_taints(pool: EksPool) -> list[dict[str, str]]:
    """Taints that go once the node's runtimes are proven on it."""
    return unproven_taints(served(pool))
