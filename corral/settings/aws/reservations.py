"""What reserved capacity costs, and how much of it is for nothing while the fewest nodes run.

A capacity reservation is paid for at the on-demand price from the moment it is made until it is
given up, whether instances run in it or not.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-pricing-billing.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from corral.settings.aws.pools import EksPool
from corral.settings.aws.prices import MONTH_HOURS, Price, price

BEYOND_PRICES = (
    "Savings Plans and contracts lower it, and corral buys none: they can't be given back"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """What one pool reserves."""

    pool: str
    instance: str
    nodes: int
    idle: int
    """Of these nodes, how many stand empty while the pool has its fewest nodes."""
    price: Price | None
    """Of one node; None where nothing says it."""

    def cells(self) -> tuple[str, ...]:
        """Pool, type, nodes, an hour of one, a month of all, a month of the idle ones, source."""
        if self.price is None:
            unknown = ("?", "?", "?" if self.idle else "0", "set aws.prices")
        else:
            unknown = (
                f"{self.price.usd.normalize():f}",
                f"{self.price.month(self.nodes):,}",
                f"{self.price.month(self.idle):,}",
                self.price.source,
            )
        return (self.pool, self.instance, str(self.nodes), *unknown)

    def as_document(self) -> dict[str, object]:
        """As JSON; amounts are null where no price is known."""
        known = self.price
        return {
            "pool": self.pool,
            "instance": self.instance,
            "nodes": self.nodes,
            "idleNodes": self.idle,
            "usdPerHour": float(known.usd) if known else None,
            "usdPerMonth": known.month(self.nodes) if known else None,
            "idleUsdPerMonth": known.month(self.idle) if known else None,
            "hoursPerMonth": MONTH_HOURS,
            "priceFrom": known.source if known else None,
        }

    def told(self) -> str:
        """The same in one sentence."""
        head = f"{self.nodes} x {self.instance} reserved, paid for whether nodes run or not"
        if self.price is None:
            return f"{head}; nothing says their price: set aws.prices"
        usd, month = f"{self.price.usd.normalize():f}", f"{self.price.month(self.nodes):,}"
        idle = f"{self.price.month(self.idle):,}"
        return (
            f"{head}: {usd} USD an hour each, {month} USD a month, {idle} of it for idle ones "
            f"while the pool has its fewest nodes ({self.price.source})"
        )


def reservations(
    pools: Mapping[str, EksPool], *, region: str, prices: Mapping[str, float]
) -> Iterator[Reservation]:
    """One for each pool that reserves capacity, in the settings' order; `prices` are the stack's
    own."""
    for name, pool in pools.items():
        if pool.capacity == "reserved":
            yield reservation(name, pool, region=region, prices=prices)


def reservation(
    name: str, pool: EksPool, *, region: str, prices: Mapping[str, float]
) -> Reservation:
    """What the pool called `name` reserves. IndexError where it has no instance types."""
    kind = pool.instance_types[0].name
    return Reservation(
        pool=name,
        instance=kind,
        nodes=pool.reserved_nodes,
        idle=max(0, pool.reserved_nodes - pool.nodes_at_first),
        price=price(kind, region=region, own=prices),
    )
