"""What reserved capacity really costs in the stack's region, by AWS' own price list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from corral.preflight.aws.ground import Ground
from corral.preflight.finding import Finding, ok, warning
from corral.settings.aws.reservations import Reservation, reservations

CLOSE = Decimal("0.01")
"""Part by which a plan's price may be off before it is worth a word."""


def look(ground: Ground) -> Iterator[Finding]:
    """One finding for each pool that reserves capacity."""
    aws = ground.aws
    for found in reservations(ground.pools, region=aws.region, prices=aws.prices):
        usd = _listed(ground, found.instance)
        if usd is None:
            yield warning(
                f"pool {found.pool}: AWS' price list has no {found.instance} in {aws.region}",
                why="the plan can't tell what its reserved nodes cost",
                fix=f"write what you pay: aws.prices: {{ {found.instance}: … }}",
            )
        else:
            yield _compared(found, usd, aws.region)


def _compared(found: Reservation, usd: Decimal, region: str) -> Finding:
    listed = f"{usd.normalize():f} USD an hour in {region}"
    if found.price is not None and abs(found.price.usd - usd) <= usd * CLOSE:
        month = found.price.month(found.nodes)
        return ok(f"pool {found.pool}: {found.instance} is {listed}, {month:,} USD a month for all")
    if found.price is None:
        reckoned = "the plan has no price for it"
    else:
        theirs = f"{found.price.usd.normalize():f}"
        reckoned = f"the plan reckons with {theirs} ({found.price.source})"
    return warning(
        f"pool {found.pool}: {found.instance} is {listed}; {reckoned}",
        why="the plan's figures for reserved and idle nodes are off by that",
        fix=f"write aws.prices: {{ {found.instance}: {usd.normalize():f} }}, or what your contract "
        "says",
    )


def _listed(ground: Ground, instance: str) -> Decimal | None:
    """US dollars for an hour on demand, with Linux; None where the list has nothing."""
    wanted = {
        "regionCode": ground.aws.region,
        "instanceType": instance,
        "operatingSystem": "Linux",
        "preInstalledSw": "NA",
        "tenancy": "Shared",
        "capacitystatus": "Used",
        "marketoption": "OnDemand",
    }
    answer = ground.account.ask(
        "pricing",
        "get_products",
        ServiceCode="AmazonEC2",
        Filters=[
            {"Type": "TERM_MATCH", "Field": field, "Value": value}
            for field, value in wanted.items()
        ],
    )
    prices = [usd for product in answer["PriceList"] for usd in _on_demand(json.loads(product))]
    return max(prices, default=None)


def _on_demand(product: dict[str, Any]) -> Iterator[Decimal]:
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            usd = Decimal(dimension["pricePerUnit"].get("USD", "0"))
            if usd:
                yield usd
