"""What must hold between the settings of a stack on AWS, each with the reason of EC2 or EKS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network

from corral.settings.aws.access import access_problems, account_problems
from corral.settings.aws.account import Aws
from corral.settings.aws.cidrs import (
    AddressDemand,
    PodNetwork,
    addresses_per_node,
    check_demand,
    check_vpc,
    plan_cidrs,
)
from corral.settings.aws.instances import check_instance
from corral.settings.aws.network import ExistingNetwork, NewNetwork
from corral.settings.aws.pools import EksPool
from corral.settings.aws.zones import zone_problems
from corral.settings.classes import AgentClass
from corral.settings.cluster import Cluster, EksCluster
from corral.settings.pools import AnyPool
from corral.settings.problems import MISSING, NotAllowedError, Problem, Said
from corral.settings.refused_runtimes import ARM_CCA
from corral.settings.tiers import Tier

KATA_TIERS = (Tier.MICROVM, Tier.CONFIDENTIAL)

_NOT_ON_EC2 = {
    "kata-qemu-snp": "an SEV-SNP instance has no /dev/kvm, so no Kata runtime runs on it",
    "kata-qemu-tdx": "no EC2 instance offers TDX",
    "confidential-sandbox": "Nitro Sandboxes need EKS' Auto Mode, or an image that has AWS' "
    "sandbox runtime in the place of what corral's nodes run",
    "kata-remote": "peer pods need cloud-api-adaptor, which has no maintainer for SEV-SNP on AWS",
    "kata-fc": "Firecracker needs a devmapper pool, which these nodes don't prepare",
}


def aws_contradictions(
    *,
    cluster: Cluster,
    aws: Aws | None,
    pools: Mapping[str, AnyPool],
    classes: Mapping[str, AgentClass],
    network: PodNetwork = "overlay",
) -> list[Problem]:
    """Every contradiction between them; empty when they agree."""
    found = [*_belongs(cluster, aws, pools)]
    if found or aws is None or not isinstance(cluster, EksCluster):
        return found
    found += [*account_problems(aws), *_network(aws), *access_problems(cluster, aws)]
    on_eks = {name: pool for name, pool in pools.items() if isinstance(pool, EksPool)}
    for name, pool in on_eks.items():
        found += [*_machines(name, pool, aws), *_amounts(name, pool), *_zones(name, pool, aws)]
    if not found:
        found += zone_problems(aws, on_eks)
        found += _addresses(aws, on_eks, network)
    return [*found, *_system(on_eks), *_spot(on_eks, classes)]


def _belongs(cluster: Cluster, aws: Aws | None, pools: Mapping[str, AnyPool]) -> Iterator[Problem]:
    eks = isinstance(cluster, EksCluster)
    if eks and aws is None:
        yield Problem(
            path=("aws",),
            value=MISSING,
            rule="required with cluster kind eks: account-id, region and network",
            fix="add aws, or use another kind of cluster",
        )
    if not eks and aws is not None:
        yield Problem(
            path=("aws",),
            value=Said("an account"),
            rule=f"left out with cluster kind {cluster.kind}: nothing would be made in it",
            fix="remove aws, or set cluster.kind: eks",
        )
    for name, pool in pools.items():
        if eks and not isinstance(pool, EksPool):
            yield Problem(
                path=("pools", name),
                value=Said("a pool by its nodes' figures"),
                rule="pools on EKS say machines and how many; CPU and memory follow from them",
                fix="write machines (virtual, nested, metal or snp), min-nodes and max-nodes in "
                "their place",
            )
        if not eks and isinstance(pool, EksPool):
            yield Problem(
                path=("pools", name, "machines"),
                value=pool.machines,
                rule="machines belong to pools on EKS",
                fix="write nodes, cpu, memory and disk in their place, or set cluster.kind: eks",
            )


def _network(aws: Aws) -> Iterator[Problem]:
    network = aws.network
    if isinstance(network, ExistingNetwork):
        subnets = list(network.private_subnets.values())
        for zone, subnet in network.private_subnets.items():
            if subnets.count(subnet) > 1:
                yield Problem(
                    path=("aws", "network", "private-subnets", zone),
                    value=subnet,
                    rule="another subnet for each zone: a subnet is in one zone",
                    fix="write the subnet of that zone",
                )
        return
    yield from _own_network(network)


def _own_network(network: NewNetwork) -> Iterator[Problem]:
    try:
        check_vpc(IPv4Network(network.cidr), map(IPv4Network, network.peers))
    except NotAllowedError as refusal:
        yield _of_cidr(network, refusal)
    for position, zone in enumerate(network.zones):
        if zone in network.zones[:position]:
            yield Problem(
                path=("aws", "network", "zones", position),
                value=zone,
                rule="each zone once",
                fix="remove it, or name another",
            )


def _addresses(
    aws: Aws, pools: Mapping[str, EksPool], pod_network: PodNetwork
) -> Iterator[Problem]:
    """Whether the addresses of the stack's own VPC last for all nodes with all their pods."""
    network = aws.network
    if not isinstance(network, NewNetwork):
        return
    plan = plan_cidrs(IPv4Network(network.cidr), network.zones)
    free = {zone: subnet.usable for zone, subnet in plan.of_kind("private").items()}
    try:
        check_demand(
            free, [address_demand(name, pool, aws, pod_network) for name, pool in pools.items()]
        )
    except NotAllowedError as refusal:
        yield _of_cidr(network, refusal)


def address_demand(name: str, pool: EksPool, aws: Aws, network: PodNetwork) -> AddressDemand:
    """The addresses that a pool may come to need, at most."""
    return AddressDemand(
        pool=name,
        nodes=pool.nodes,
        per_node=max(
            addresses_per_node(known, pods=pool.pods, network=network)
            for known in pool.instance_types
        ),
        zones=pool.zones or aws.network.zones,
    )


def _of_cidr(network: NewNetwork, refusal: NotAllowedError) -> Problem:
    return Problem(
        path=("aws", "network", "cidr"), value=network.cidr, rule=refusal.rule, fix=refusal.fix
    )


def _machines(name: str, pool: EksPool, aws: Aws) -> Iterator[Problem]:
    if pool.tier in KATA_TIERS and (problem := _no_microvms(name, pool)):
        yield problem
        return
    for runtime in pool.served_runtimes:
        if runtime in _NOT_ON_EC2:
            yield Problem(
                path=("pools", name, "runtimes" if pool.runtimes else "tier"),
                value=runtime,
                rule=f"a runtime that works on EC2: {_NOT_ON_EC2[runtime]}",
                fix="choose another runtime, or nodes of your own",
            )
    if not pool.instance_types:
        yield Problem(
            path=("pools", name, "architecture"),
            value=pool.architecture,
            rule=f"amd64 for {pool.machines} machines: EC2 has none of {pool.architecture}",
            fix="use amd64, or other machines",
        )
    for position, known in enumerate(pool.instance_types):
        try:
            check_instance(
                known.name,
                machines=pool.machines,
                region=aws.region,
                architecture=pool.architecture,
                spot=pool.capacity == "spot",
            )
        except NotAllowedError as refusal:
            yield Problem(
                path=("pools", name, "instances", *((position,) if pool.instances else ())),
                value=known.name,
                rule=refusal.rule,
                fix=refusal.fix,
            )


def _no_microvms(name: str, pool: EksPool) -> Problem | None:
    """Why the pool's machines can't run virtual machines of their own, if they can't."""
    if pool.tier == Tier.CONFIDENTIAL:
        asked = [_NOT_ON_EC2[r] for r in pool.served_runtimes if r in _NOT_ON_EC2]
        if pool.architecture == "arm64":
            asked = [ARM_CCA]
        return Problem(
            path=("pools", name, "tier"),
            value=str(pool.tier),
            rule="a tier that corral's nodes on EC2 can serve: " + "; ".join(asked),
            fix="protect nodes from their host with machines: snp and tier gvisor or container, or "
            "use a cluster that is there (docs/confidential.md has the four forms)",
        )
    if pool.machines == "snp":
        rule = (
            "nested or metal for tier microvm: an SEV-SNP machine has no /dev/kvm, so Kata can't "
            "start a guest on it"
        )
    elif pool.machines == "virtual":
        rule = "nested or metal for tier microvm: a microVM needs /dev/kvm on its node"
    else:
        return None
    return Problem(
        path=("pools", name, "machines"),
        value=pool.machines,
        rule=rule,
        fix="set machines: nested or metal, or choose tier gvisor",
    )


def _amounts(name: str, pool: EksPool) -> Iterator[Problem]:
    if pool.purpose is not None:
        yield from _gateway(name, pool)
        return
    if pool.max_nodes is not None and pool.min_nodes > pool.max_nodes:
        yield Problem(
            path=("pools", name, "min-nodes"),
            value=pool.min_nodes,
            rule=f"at most max-nodes, {pool.max_nodes}",
            fix="lower it, or raise max-nodes",
        )
    elif pool.max_nodes is None and not pool.nodes and (pool.tier is None or _fixed(pool)):
        yield Problem(
            path=("pools", name, "min-nodes"),
            value=pool.min_nodes,
            rule="at least 1 where max-nodes is left out: nothing that tenants ask for starts "
            "nodes of this pool",
            fix="set min-nodes" + ("" if _fixed(pool) else ", or max-nodes"),
        )
    elif _fixed(pool) and pool.burst_nodes:
        yield Problem(
            path=("pools", name, "max-nodes"),
            value=pool.max_nodes,
            rule=f"min-nodes, {pool.min_nodes}, or left out: more nodes are Karpenter's to start, "
            "and it can't ask EC2 for SEV-SNP",
            fix="set min-nodes to the number that the pool always has, and remove max-nodes",
        )
    reserved = pool.capacity == "reserved"
    if reserved != bool(pool.reserved_nodes):
        yield Problem(
            path=("pools", name, "reserved-nodes"),
            value=pool.reserved_nodes,
            rule="at least 1 with capacity: reserved, and only there",
            fix="say how many nodes to reserve" if reserved else "set capacity: reserved",
        )
    if pool.reserved_nodes > pool.nodes:
        said = "max-nodes" if pool.max_nodes is not None else "the nodes that it can have"
        yield Problem(
            path=("pools", name, "reserved-nodes"),
            value=pool.reserved_nodes,
            rule=f"at most {said}, {pool.nodes}: what no node can use is paid for nothing",
            fix="lower it, or raise max-nodes",
        )
    if reserved and len(pool.instance_types) > 1:
        yield Problem(
            path=("pools", name, "instances"),
            value=Said(", ".join(known.name for known in pool.instance_types)),
            rule="one instance type with capacity: reserved: a reservation is for one",
            fix="name the one that is reserved",
        )


def _fixed(pool: EksPool) -> bool:
    """Whether Karpenter can't start its nodes: an EC2NodeClass has no `amdSevSnp`."""
    return pool.machines == "snp"


def _gateway(name: str, pool: EksPool) -> Iterator[Problem]:
    one_per_zone = "one node in each zone, as traffic doesn't leave its zone for a gateway"
    for key, value, rule in (
        ("tier", pool.tier and str(pool.tier), "left out: no sandbox runs beside a gateway"),
        ("min-nodes", pool.min_nodes, f"left out: {one_per_zone}"),
        ("max-nodes", pool.max_nodes, f"left out: {one_per_zone}"),
    ):
        if value:
            yield Problem(
                path=("pools", name, key),
                value=value,
                rule=f"{rule} (purpose {pool.purpose})",
                fix=f"remove {key}, or purpose",
            )
    if pool.machines != "virtual":
        yield Problem(
            path=("pools", name, "machines"),
            value=pool.machines,
            rule=f"virtual with purpose {pool.purpose}: nothing there needs more",
            fix="set machines: virtual",
        )
    if pool.capacity != "on-demand" or pool.reserved_nodes:
        key = "capacity" if pool.capacity != "on-demand" else "reserved-nodes"
        yield Problem(
            path=("pools", name, key),
            value=pool.capacity if key == "capacity" else pool.reserved_nodes,
            rule=f"on-demand with purpose {pool.purpose}: every sandbox's traffic leaves by it",
            fix=f"remove {key}",
        )


def _zones(name: str, pool: EksPool, aws: Aws) -> Iterator[Problem]:
    for position, zone in enumerate(pool.zones):
        if zone not in aws.network.zones:
            yield Problem(
                path=("pools", name, "zones", position),
                value=zone,
                rule=f"a zone of the network: {', '.join(aws.network.zones)}",
                fix="use one of these, or add it to aws.network",
            )
        elif zone in pool.zones[:position]:
            yield Problem(
                path=("pools", name, "zones", position),
                value=zone,
                rule="each zone once",
                fix="remove it",
            )


def _system(pools: Mapping[str, EksPool]) -> Iterator[Problem]:
    steady = [
        pool
        for pool in pools.values()
        if pool.tier is None
        and pool.purpose is None
        and pool.capacity != "spot"
        and pool.base_nodes
    ]
    if not steady:
        yield Problem(
            path=("pools",),
            value=Said(", ".join(pools)),
            rule="a pool without a tier that always has a node and isn't spot: CoreDNS and the "
            "platform itself run there",
            fix="add one: system: { machines: virtual, min-nodes: 2, max-nodes: 4 }",
        )


def _spot(pools: Mapping[str, EksPool], classes: Mapping[str, AgentClass]) -> Iterator[Problem]:
    for class_name, agent in classes.items():
        if agent.restartable:
            continue
        spot = [
            name
            for name, pool in pools.items()
            if pool.capacity == "spot" and agent.runtime_name in pool.served_runtimes
        ]
        if spot:
            yield Problem(
                path=("classes", class_name, "restartable"),
                value=False,
                rule=f"true for a class that can land on spot nodes ({', '.join(spot)}): they go "
                "with two minutes' notice",
                fix="set restartable: true if its work survives that, or buy that pool otherwise",
            )
