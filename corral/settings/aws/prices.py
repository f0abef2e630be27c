"""What an hour of an instance costs: AWS' list prices on demand, for Linux, in US dollars.

`prices.csv`, beside this file, has one region's: us-east-1, as AWS' price list gave them on
2026-07-20 to Karpenter's generator. No table of the other regions is to be had without an account;
their prices differ, mostly upwards. What an account really pays stands in `aws.prices`.

https://github.com/aws/karpenter-provider-aws/blob/1d927085dd81a9df9301e613f371dac5b4d16bfe/pkg/providers/pricing/zz_generated.pricing_aws.go
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType

PRICES_FILE = Path(__file__).parent / "prices.csv"
LISTED_REGION = "us-east-1"
LISTED_ON = "2026-07-20"

MONTH_HOURS = 730
"""As AWS' own calculator reckons: 8,760 hours over twelve."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """US dollars for an hour of one instance, and where the figure is from."""

    usd: Decimal
    source: str

    def month(self, count: int) -> int:
        """Whole dollars for that many instances over a month."""
        return int((self.usd * count * MONTH_HOURS).to_integral_value())


def price(name: str, *, region: str, own: Mapping[str, float]) -> Price | None:
    """The price of an instance type: the stack's own, or the list's; None where neither has it."""
    if name in own:
        return Price(usd=Decimal(str(own[name])), source="aws.prices")
    listed = list_prices().get(name)
    if listed is None:
        return None
    other = "" if region == LISTED_REGION else f", not {region}"
    return Price(usd=listed, source=f"list of {LISTED_REGION}{other}, {LISTED_ON}")


def list_prices() -> Mapping[str, Decimal]:
    """All list prices, by instance type."""
    return _list_prices()


@cache
def _list_prices() -> MappingProxyType[str, Decimal]:
    with PRICES_FILE.open(encoding="utf-8", newline="") as file:
        return MappingProxyType({row["type"]: Decimal(row["usd"]) for row in csv.DictReader(file)})
