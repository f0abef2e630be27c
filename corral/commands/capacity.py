"""What a plan says of nodes: the sandboxes that they hold, and what is paid for in any case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from corral.commands.screen import Screen
from corral.settings.aws.reservations import BEYOND_PRICES, Reservation, reservations
from corral.settings.aws.room import Held, eks_pools, held
from corral.settings.network import pod_network_of
from corral.settings.stack import Settings

DENSITY = ("pool", "class", "smallest type", "on one node", "nodes", "at most")
RESERVED = (
    *("pool", "type", "nodes", "USD an hour each", "USD a month", "of it idle at min-nodes"),
    "price from",
)


def capacity_document(settings: Settings) -> dict[str, Any]:
    """`density` and `reservations` as plain JSON; each only where there is some."""
    rows = [row.as_document() for row in _held(settings)]
    reserved = [found.as_document() for found in _reserved(settings)]
    return {
        **({"density": rows} if rows else {}),
        **({"reservations": reserved} if reserved else {}),
    }


def show_capacity(screen: Screen, settings: Settings) -> None:
    """The same on the screen."""
    rows = [row.cells() for row in _held(settings)]
    if rows:
        screen.table("sandboxes that its nodes hold, if all are of one class", DENSITY, rows)
    reserved = [found.cells() for found in _reserved(settings)]
    if reserved:
        title = f"reserved capacity, paid for whether nodes run or not ({BEYOND_PRICES})"
        screen.table(title, RESERVED, reserved)


def _held(settings: Settings) -> Iterator[Held]:
    network = pod_network_of(settings.network)
    return held(eks_pools(settings.pools), settings.classes, network)


def _reserved(settings: Settings) -> list[Reservation]:
    aws = settings.aws
    if aws is None:
        return []
    return [*reservations(eks_pools(settings.pools), region=aws.region, prices=aws.prices)]
