"""What must hold between the cluster's network and everything else, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network

from corral.settings.aws.account import Aws
from corral.settings.aws.cidrs import PRIVATE_RANGES, UNUSABLE_RANGES, free_network, service_network
from corral.settings.aws.network import NewNetwork
from corral.settings.classes import AgentClass
from corral.settings.cluster import Cluster, EksCluster
from corral.settings.network import Calico, ClusterNetwork, calico_of
from corral.settings.pools import AnyPool
from corral.settings.problems import Problem
from corral.settings.tiers import Tier

BLOCK = 64
"""Addresses that Calico hands a node at once (/26, its default)."""

_OVERLAY_ALONE = {
    "pods": "pods have addresses of the VPC",
    "policy_wait": "EKS' own plugin starts pods, and doesn't wait for Calico's policies",
}
"""Settings of the overlay, and why they mean nothing without it."""


def network_contradictions(
    *,
    cluster: Cluster,
    network: ClusterNetwork,
    aws: Aws | None,
    pools: Mapping[str, AnyPool],
    classes: Mapping[str, AgentClass],
) -> list[Problem]:
    """Every contradiction between them; empty when they agree. Pools have their most nodes."""
    calico = calico_of(network, cluster)
    if calico is None:
        return []
    found = [*_edition(calico), *_mode(calico, cluster, pools, classes)]
    if calico.mode == "overlay":
        found += [*(_addresses(calico, aws) or _room(calico, pools))]
    return found


def blocks_per_node(pods: int) -> int:
    """Blocks of the overlay that a node takes for that many pods."""
    return -(-pods // BLOCK)


def _edition(calico: Calico) -> Iterator[Problem]:
    if calico.edition == "enterprise" and calico.flow_logs:
        yield _problem(
            "flow-logs",
            value=True,
            rule="false with edition enterprise: Goldmane and Whisker belong to Calico Open Source",
            fix="remove it: Calico Enterprise has flow logs of its own, or set edition: oss",
        )


def _mode(
    calico: Calico,
    cluster: Cluster,
    pools: Mapping[str, AnyPool],
    classes: Mapping[str, AgentClass],
) -> Iterator[Problem]:
    if calico.mode == "overlay":
        return
    if not isinstance(cluster, EksCluster):
        yield _problem(
            "mode",
            value=calico.mode,
            rule=f"overlay with cluster kind {cluster.kind}: policy-only goes with EKS' own plugin "
            "for pods in the VPC",
            fix="set mode: overlay, or remove network.calico where another plugin is there that "
            "enforces NetworkPolicies",
        )
        return
    tiers = {pool.tier for pool in pools.values()} | {agent.tier for agent in classes.values()}
    untrusted = [str(tier) for tier in Tier if tier in tiers and tier is not Tier.CONTAINER]
    if untrusted:
        yield _problem(
            "mode",
            value=calico.mode,
            rule=f"overlay where there is tier {' or '.join(untrusted)}: with policy-only a pod "
            "runs, and sends, before its policies are in force, and nothing holds it back",
            fix="set mode: overlay, or keep this stack to trusted jobs (tier container)",
        )
    for name, why in _OVERLAY_ALONE.items():
        if name in calico.model_fields_set:
            yield _problem(
                name.replace("_", "-"),
                value=getattr(calico, name),
                rule=f"left out with mode policy-only: {why}",
                fix="remove it, or set mode: overlay",
            )


def _addresses(calico: Calico, aws: Aws | None) -> list[Problem]:
    """Who else has the overlay's addresses."""
    pods = IPv4Network(calico.pods)
    if not any(pods.subnet_of(private) for private in PRIVATE_RANGES):
        return [
            _problem(
                "pods",
                value=calico.pods,
                rule=f"private addresses ({', '.join(map(str, PRIVATE_RANGES))}): pods couldn't "
                "reach whoever public ones belong to",
                fix="choose a network in one of these",
            )
        ]
    taken = [*_taken(aws)]
    clashes = [f"{network} ({whose})" for network, whose in taken if pods.overlaps(network)]
    if not clashes:
        return []
    free = free_network(pods.prefixlen, taken=[network for network, _ in taken])
    return [
        _problem(
            "pods",
            value=calico.pods,
            rule=f"a network of their own; it overlaps {', '.join(clashes)}",
            fix=f"write {free}, for instance" if free else "choose a smaller network",
        )
    ]


def _taken(aws: Aws | None) -> Iterator[tuple[IPv4Network, str]]:
    for network in UNUSABLE_RANGES:
        yield network, "EC2's and EKS' own"
    if aws is None:
        return
    vpc = IPv4Network(aws.network.cidr)
    yield vpc, "aws.network.cidr"
    yield IPv4Network(service_network(vpc)), "Kubernetes services"
    if isinstance(aws.network, NewNetwork):
        for peer in aws.network.peers:
            yield IPv4Network(peer), "a peer"


def _room(calico: Calico, pools: Mapping[str, AnyPool]) -> list[Problem]:
    """Whether the overlay has a block for every 64 pods of every node."""
    need = sum(pool.nodes * blocks_per_node(_pods(pool)) * BLOCK for pool in pools.values())
    there = IPv4Network(calico.pods).num_addresses
    if need <= there:
        return []
    prefix = 32 - (need - 1).bit_length()
    return [
        _problem(
            "pods",
            value=calico.pods,
            rule=f"at least {need} addresses: each node takes {BLOCK} for every {BLOCK} pods that "
            f"it may run, and these are {there}",
            fix=f"write a network of /{prefix} or larger, or lower max-nodes",
        )
    ]


def _pods(pool: AnyPool) -> int:
    """Most pods on one node; a pool on machines that there aren't is refused elsewhere."""
    try:
        return pool.pods
    except ValueError:
        return 0


def _problem(key: str, *, value: object, rule: str, fix: str) -> Problem:
    return Problem(path=("network", "calico", key), value=value, rule=rule, fix=fix)
