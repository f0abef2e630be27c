"""Most nodes of pools that don't say it themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction

from corral.settings.aws.cidrs import PodNetwork
from corral.settings.aws.pools import EksPool
from corral.settings.aws.room import Held, held
from corral.settings.classes import AgentClass
from corral.settings.tenants import Tenant

SURGE = 1
"""One node more than sandboxes need, so that a node can be replaced before it goes."""


def bound_pools(
    pools: Mapping[str, EksPool],
    classes: Mapping[str, AgentClass],
    tenants: Mapping[str, Tenant],
    zones: int,
    network: PodNetwork = "overlay",
) -> None:
    """Gives each pool without `max-nodes` its bound; `zones` is the number of the network's."""
    rows = [*held(pools, classes, network)]
    wanted = Counter[str]()
    for tenant in tenants.values():
        wanted.update(tenant.agents)
    for name, pool in pools.items():
        if pool.max_nodes is not None:
            continue
        if pool.purpose == "egress-gateway":
            pool.bound(len(set(pool.zones)) or zones)
        elif pool.tier is None or pool.machines == "snp":
            pool.bound(pool.min_nodes)
        else:
            pool.bound(max(pool.min_nodes, _needed(name, wanted, rows, pools)))


def _needed(
    name: str, wanted: Mapping[str, int], rows: list[Held], pools: Mapping[str, EksPool]
) -> int:
    """Nodes for all that tenants may ask for at once, class by class, beside what the nodes that
    the other pools always have take of it."""
    free = {other: Fraction(pool.base_nodes) for other, pool in pools.items() if other != name}
    nodes = 0
    for row in rows:
        if row.pool != name or not row.density.sandboxes:
            continue
        left = wanted.get(row.agent, 0)
        for other in rows:
            if other.agent == row.agent and other.pool in free and (n := other.density.sandboxes):
                taken = min(left, int(free[other.pool] * n))
                free[other.pool] -= Fraction(taken, n)
                left -= taken
        nodes += -(-left // row.density.sandboxes)
    return nodes + SURGE if nodes else 0
