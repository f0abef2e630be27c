"""What an hour of one sandbox costs: its share of a node's price.

An estimate: a sandbox costs the larger of its shares of a node's CPU and memory, by what the
scheduler counts for it, on the dearest node that may run it, at the price on demand. What a node
has left over is nobody's cost, discounts stand in `aws.prices`, and disks, traffic and the platform
itself aren't counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from corral.settings.aws.pools import EksPool
from corral.settings.aws.prices import price
from corral.settings.capacity import node_room, sandbox_room, serving
from corral.settings.classes import AgentClass
from corral.settings.pools import AnyPool

DIGITS = 6


def usd_per_hour(
    agent: AgentClass, pools: Mapping[str, AnyPool], *, region: str, own: Mapping[str, float]
) -> float | None:
    """US dollars; None where no pool that runs the class has a price: outside of AWS, always.

    A pool's smallest node says how large the share is, its dearest type what it is a share of.
    """
    need = sandbox_room(agent)
    found = []
    for pool in serving(agent, pools).values():
        if not isinstance(pool, EksPool):
            continue
        prices = [
            known.usd
            for each in pool.instance_types
            if (known := price(each.name, region=region, own=own)) is not None
        ]
        if prices:
            room = node_room(pool)
            share = max(Fraction(need.cpu, room.cpu), Fraction(need.memory, room.memory))
            found.append(share * Fraction(max(prices)))
    return round(float(max(found)), DIGITS) if found else None
