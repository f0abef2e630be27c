"""What must hold for Calico Enterprise: its licence, and egress gateways that have addresses,
interfaces and nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from math import ceil

from corral.settings.aws.account import Aws
from corral.settings.aws.cidrs import RESERVED_ADDRESSES, egress_subnets, service_network
from corral.settings.aws.network import ExistingNetwork
from corral.settings.aws.pools import EksPool
from corral.settings.cluster import Cluster, EksCluster
from corral.settings.egress_addresses import EgressGateways, gateway_zones
from corral.settings.network import Calico, ClusterNetwork, calico_of, egress_gateways_of
from corral.settings.platform_egress import egress_asked
from corral.settings.problems import MISSING, NotAllowedError, Problem, Said
from corral.settings.tenants import Tenant

_GATEWAYS = "egress-gateways"


def enterprise_contradictions(
    *,
    cluster: Cluster,
    network: ClusterNetwork,
    aws: Aws | None,
    pools: Mapping[str, EksPool],
    tenants: Mapping[str, Tenant],
) -> list[Problem]:
    """Every contradiction between them; empty when they agree."""
    calico = calico_of(network, cluster)
    if calico is None:
        return []
    found = [*_edition(calico)]
    if calico.egress_gateways is not None and not found:
        asked = egress_asked(network.egress, tenants) is not None
        found += _without_place(calico, cluster, asked=asked)
    gateways = egress_gateways_of(network, cluster, tenants)
    if gateways is None or aws is None or found:
        return found
    zones = gateway_zones(pools, aws.network.zones)
    if not zones:
        return [*found, _no_pool(pools)]
    found += [*_amounts(gateways, zones, pools), *_subnets(gateways, zones, aws, calico)]
    return found


def subnet_room(network: IPv4Network) -> int:
    """Addresses of a subnet that gateways can have."""
    return network.num_addresses - RESERVED_ADDRESSES


def _edition(calico: Calico) -> Iterator[Problem]:
    if calico.edition == "enterprise":
        if calico.license is None:
            yield _problem(
                "license",
                value=MISSING,
                rule="required with edition enterprise: without its pull secret no node gets a "
                "network, and without its licence neither egress gateways nor rules on names work",
                fix="write license: stack, and run `pulumi config set --secret calico-license` and "
                "`… calico-pull-secret`; or license: owner, where somebody puts both into the "
                "cluster. Or set edition: oss",
            )
        return
    if calico.egress_gateways is not None:
        yield _problem(
            _GATEWAYS,
            value=Said("gateways"),
            rule="left out with edition oss: Calico Open Source has no egress gateways, its "
            "operator installs none",
            fix="remove it: traffic leaves by a pool of purpose egress-gateway and the fixed "
            "addresses of NAT. Or set edition: enterprise, with its licence",
        )
    if calico.license is not None:
        yield _problem(
            "license",
            value=calico.license,
            rule="left out with edition oss: Calico Open Source has no licence",
            fix="remove it, or set edition: enterprise",
        )


def _without_place(calico: Calico, cluster: Cluster, *, asked: bool) -> Iterator[Problem]:
    if calico.mode == "policy-only":
        rule = "left out with mode policy-only: Calico's egress gateways need its own addresses"
        fix = "remove it, or set mode: overlay"
    elif not isinstance(cluster, EksCluster):
        rule = (
            f"left out with cluster kind {cluster.kind}: their addresses are of a VPC, and "
            "announcing others is a matter of your own network (BGP)"
        )
        fix = "remove it, or set cluster.kind: eks"
    elif not asked:
        rule = "left out where no tenant has egress: nothing would leave by them"
        fix = "remove it, or write network.egress: {}"
    else:
        return
    yield _problem(_GATEWAYS, value=Said("gateways"), rule=rule, fix=fix)


def _no_pool(pools: Mapping[str, EksPool]) -> Problem:
    return Problem(
        path=("pools",),
        value=Said(", ".join(pools)),
        rule="a pool of purpose egress-gateway with edition enterprise and egress: gateways have "
        "interfaces of their nodes, and no sandbox stands beside them",
        fix="add one: gateways: { purpose: egress-gateway, machines: virtual }",
    )


def _amounts(
    gateways: EgressGateways, zones: tuple[str, ...], pools: Mapping[str, EksPool]
) -> Iterator[Problem]:
    count = gateways.count(len(zones))
    if count < len(zones):
        yield _problem(
            _GATEWAYS,
            "replicas",
            value=count,
            rule=f"at least one in each of the zones {', '.join(zones)}: a zone without one sends "
            "all its traffic through another zone, and goes down with it",
            fix=f"raise it to {len(zones)}, or leave it out",
        )
    elif count < 2:  # noqa: PLR2004 - one and no other
        yield Problem(
            path=("pools",),
            value=Said(", ".join(zones)),
            rule="gateways in two zones at least: with one of them all egress goes",
            fix="give the pool of purpose egress-gateway another zone",
        )
    if gateways.addresses(len(zones)) < count:
        yield _problem(
            _GATEWAYS,
            "elastic-ips",
            value=gateways.elastic_ips,
            rule=f"at least one for each of the {count} gateways: one without an address reaches "
            "nobody",
            fix=f"raise it to {EgressGateways(replicas=max(count, 2)).addresses(len(zones))}, or "
            "leave it out",
        )
    slots = _interfaces(pools)
    each = ceil(count / len(zones))
    if each > slots:
        yield _problem(
            _GATEWAYS,
            "replicas",
            value=count,
            rule=f"at most {slots * len(zones)}: a node for gateways has {slots} network "
            "interfaces besides its own, a gateway takes one, and each zone has one such node",
            fix=f"lower it to {slots * len(zones)}, or use instances with more interfaces there",
        )


def _interfaces(pools: Mapping[str, EksPool]) -> int:
    """What a node for gateways attaches, besides its own."""
    return min(
        (
            known.interfaces - 1
            for pool in pools.values()
            if pool.purpose == "egress-gateway"
            for known in pool.instance_types
        ),
        default=0,
    )


def _subnets(
    gateways: EgressGateways, zones: tuple[str, ...], aws: Aws, calico: Calico
) -> Iterator[Problem]:
    network = aws.network
    each = ceil(gateways.count(len(zones)) / len(zones))
    if not isinstance(network, ExistingNetwork):
        if gateways.subnets:
            yield _problem(
                _GATEWAYS,
                "subnets",
                value=Said(", ".join(gateways.subnets)),
                rule="left out with aws.network.kind new: they are made in it",
                fix="remove it",
            )
            return
        try:
            made = egress_subnets(IPv4Network(network.cidr), network.zones)
        except NotAllowedError:
            return  # said of aws.network.cidr
        room = min(subnet_room(made[zone]) for zone in zones)
        if each > room:
            yield _problem(
                _GATEWAYS,
                "replicas",
                value=gateways.count(len(zones)),
                rule=f"at most {room * len(zones)}: that many addresses have their subnets in "
                f"{network.cidr}",
                fix="lower it, or use a larger network",
            )
        return
    for zone in sorted({*zones, *gateways.subnets}):
        yield from _subnet(gateways, zone, each if zone in zones else 0, network, calico)


def _subnet(
    gateways: EgressGateways, zone: str, need: int, network: ExistingNetwork, calico: Calico
) -> Iterator[Problem]:
    """In a network that is there: one of its own for each zone with gateways."""
    given = gateways.subnets.get(zone)
    where = (_GATEWAYS, "subnets", zone)
    if given is None:
        yield _problem(
            *where,
            value=MISSING,
            rule="a subnet for gateways in each of their zones: this network isn't ours to make "
            "any in, and nothing else may get addresses there",
            fix="have one made with a default route to an internet gateway (/28 is the smallest), "
            f"and write {zone}: {{ subnet: subnet-…, network: … }}",
        )
        return
    if not need:
        yield _problem(
            *where,
            value=given.subnet,
            rule="left out where no node for gateways is in that zone",
            fix="remove it, or give the pool of purpose egress-gateway that zone",
        )
        return
    if given.subnet in network.private_subnets.values():
        yield _problem(
            *where,
            value=given.subnet,
            rule="a subnet of its own; nodes get addresses of this one, and two would get the same",
            fix="name another one, in which nothing else gets addresses",
        )
    own = IPv4Network(given.network)
    if (room := subnet_room(own)) < need:
        yield _problem(
            *where,
            value=given.network,
            rule=f"room for {need} gateways: it has {max(0, room)} addresses besides the "
            f"{RESERVED_ADDRESSES} that AWS keeps",
            fix="name a larger one, or lower replicas",
        )
    taken = {calico.pods: "pods", service_network(IPv4Network(network.cidr)): "services"}
    taken |= {
        other.network: f"zone {name}" for name, other in gateways.subnets.items() if name < zone
    }
    for text, whose in taken.items():
        if own.overlaps(IPv4Network(text)):
            yield _problem(
                *where,
                value=given.network,
                rule=f"a network of its own; it overlaps {text} ({whose})",
                fix="write that subnet's own network",
            )


def _problem(*keys: str | int, value: object, rule: str, fix: str) -> Problem:
    return Problem(path=("network", "calico", *keys), value=value, rule=rule, fix=fix)
