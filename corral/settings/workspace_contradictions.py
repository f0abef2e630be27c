"""What must hold between workspaces and where they would be kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from corral.settings.aws.disks import (
    IOPS_PER_GIB,
    IOPS_PER_MIB,
    LEAST_SIZE,
    MOST_SIZE,
    DataVolume,
    InstanceStore,
)
from corral.settings.aws.pools import EksPool
from corral.settings.capacity import local_workspace, serving
from corral.settings.classes import AgentClass
from corral.settings.cluster import Cluster
from corral.settings.pools import AnyPool
from corral.settings.problems import Problem, Said
from corral.settings.quantities import bytes_text
from corral.settings.workspaces import WITHOUT_SHARED_FILES

GIB = 2**30


def workspace_contradictions(
    *, cluster: Cluster, pools: Mapping[str, AnyPool], classes: Mapping[str, AgentClass]
) -> list[Problem]:
    """Every contradiction between them; empty when they agree."""
    found = [*_places(cluster, pools, classes)]
    if cluster.kind == "embedded":
        return found
    for name, pool in pools.items():
        found += [*_pool(name, pool, pools, classes)]
        if isinstance(pool, EksPool):
            found += [*_disks(name, pool)]
    for name, agent in classes.items():
        found += [*_class(name, agent, pools)]
    return found


def _places(
    cluster: Cluster, pools: Mapping[str, AnyPool], classes: Mapping[str, AgentClass]
) -> Iterator[Problem]:
    """Kinds of workspaces by kinds of clusters."""
    for name, agent in classes.items():
        own = agent.workspace
        if own is None:
            continue
        if cluster.kind == "embedded":
            yield Problem(
                path=("classes", name, "workspace", "kind"),
                value=own.kind,
                rule="no workspace on an embedded cluster: its nodes are simulated, nothing makes "
                "volumes there, and sandboxes would wait for ever",
                fix="remove workspace; disk is what such a sandbox has",
            )
        elif own.kind == "ebs" and cluster.kind != "eks":
            yield Problem(
                path=("classes", name, "workspace", "kind"),
                value=own.kind,
                rule=f"local on cluster kind {cluster.kind}: EBS volumes attach to EC2 instances, "
                "and corral brings their driver on EKS alone",
                fix="use kind: local, with workspaces on the pool",
            )
    if cluster.kind == "embedded":
        for name, pool in pools.items():
            if pool.workspaces:
                yield Problem(
                    path=("pools", name, "workspaces"),
                    value=Said("room for workspaces"),
                    rule="left out on an embedded cluster: nothing makes volumes on simulated "
                    "nodes",
                    fix="remove it",
                )


def _class(name: str, agent: AgentClass, pools: Mapping[str, AnyPool]) -> Iterator[Problem]:
    own = agent.workspace
    if own is None:
        return
    if agent.runtime_name in WITHOUT_SHARED_FILES:
        yield Problem(
            path=("classes", name, "workspace", "kind"),
            value=own.kind,
            rule=f"no workspace under {agent.runtime_name}: its guests share no file system with "
            "their host, so that what they write never reaches a volume",
            fix="remove workspace, or choose another runtime",
        )
        return
    able = serving(agent, pools)
    if able and own.kind == "local" and not any(pool.workspaces for pool in able.values()):
        yield Problem(
            path=("classes", name, "workspace", "kind"),
            value=own.kind,
            rule="a pool that serves the class has room for local workspaces; none of "
            f"{', '.join(able)} has",
            fix=f"give {' or '.join(able)} workspaces, or use kind: ebs on EKS",
        )


def _pool(
    name: str, pool: AnyPool, pools: Mapping[str, AnyPool], classes: Mapping[str, AgentClass]
) -> Iterator[Problem]:
    if not pool.workspaces:
        return
    if pool.tier is None:
        yield Problem(
            path=("pools", name, "workspaces"),
            value=Said("room for workspaces"),
            rule="on pools with a tier alone: no sandbox runs on this one",
            fix="remove it, or give the pool a tier",
        )
    elif isinstance(pool.workspaces, DataVolume) and not any(
        local_workspace(agent) and name in serving(agent, pools) for agent in classes.values()
    ):
        yield Problem(
            path=("pools", name, "workspaces"),
            value=Said(f"a volume of {bytes_text(pool.workspaces.size)}"),
            rule="some class that the pool serves keeps local workspaces: a volume that nothing "
            "is kept on is paid for nothing",
            fix="remove it, or give a class workspace: { kind: local, size: … }",
        )


def _disks(name: str, pool: EksPool) -> Iterator[Problem]:
    match pool.workspaces:
        case InstanceStore():
            yield from _instance_store(name, pool)
        case DataVolume() as volume:
            yield from _volume(name, volume)


def _instance_store(name: str, pool: EksPool) -> Iterator[Problem]:
    without = [kind.name for kind in pool.instance_types if not kind.disks]
    if without:
        yield Problem(
            path=("pools", name, "workspaces", "kind"),
            value="instance-store",
            rule=f"instance types with disks of their own; {', '.join(without)} has none",
            fix="name types that have (their family has a d in its name, or begins with i), or use "
            "kind: volume with a size",
        )


def _volume(name: str, volume: DataVolume) -> Iterator[Problem]:
    where = ("pools", name, "workspaces")
    if not LEAST_SIZE <= volume.size <= MOST_SIZE:
        low, high = bytes_text(LEAST_SIZE), bytes_text(MOST_SIZE)
        yield Problem(
            path=(*where, "size"),
            value=Said(bytes_text(volume.size)),
            rule=f"{low} to {high}",
            fix=f"choose {low if volume.size < LEAST_SIZE else high}, or another value between",
        )
        return
    most = IOPS_PER_GIB * (volume.size // GIB)
    if volume.iops > most:
        yield Problem(
            path=(*where, "iops"),
            value=volume.iops,
            rule=f"at most {IOPS_PER_GIB} for each GiB of a gp3 volume: {most}",
            fix=f"lower it to {most}, or raise size",
        )
    if volume.throughput * IOPS_PER_MIB > volume.iops:
        yield Problem(
            path=(*where, "throughput"),
            value=volume.throughput,
            rule=f"at most a quarter of iops: {volume.iops // IOPS_PER_MIB}",
            fix=f"lower it, or set iops: {volume.throughput * IOPS_PER_MIB}",
        )
