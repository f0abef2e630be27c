"""What reserved capacity costs, by answers in the shape of AWS' price list.

Moto has no price list: of these answers no more is claimed than their shape.
"""

from __future__ import annotations

import json

import pytest

from corral.preflight.aws import prices
from corral.preflight.finding import Grade
from tests.cloud.stacks import DEV
from tests.preflight.account import Answers, RecordedAccount, refusal
from tests.preflight.conftest import Grounds

RESERVED = {
    "tier": "microvm",
    "machines": "metal",
    "min-nodes": 1,
    "max-nodes": 2,
    "capacity": "reserved",
    "reserved-nodes": 2,
}
POOLS = {**DEV["pools"], "isolated": RESERVED}


def product(*hourly: str) -> str:
    """A product of the price list with that many dimensions; the list gives text within JSON."""
    dimensions = {f"SKU.TERM.{n}": {"pricePerUnit": {"USD": usd}} for n, usd in enumerate(hourly)}
    terms = {"OnDemand": {"SKU.TERM": {"priceDimensions": dimensions}}}
    return json.dumps({"product": {"sku": "SKU"}, "serviceCode": "AmazonEC2", "terms": terms})


def listing(*products: str) -> Answers:
    """The price list's answer."""
    return {("pricing", "get_products"): {"FormatVersion": "aws_v1", "PriceList": list(products)}}


def test_a_price_that_differs_is_told_with_the_line_to_write(ground: Grounds) -> None:
    looked = ground(listing(product("0.0000000000", "5.9321000000")), pools=POOLS)
    [found] = prices.look(looked)
    assert found.grade is Grade.WARNING
    assert "m7i.metal-24xl is 5.9321 USD an hour in eu-west-1" in found.what
    assert "list of us-east-1, not eu-west-1" in found.what
    assert "aws.prices: { m7i.metal-24xl: 5.9321 }" in found.fix


def test_a_price_that_the_stack_says_already_is_fine(ground: Grounds) -> None:
    own = {"prices": {"m7i.metal-24xl": 5.93}}
    [found] = prices.look(ground(listing(product("5.9321")), pools=POOLS, aws=own))
    assert found.grade is Grade.OK
    assert "8,658 USD a month for all" in found.what


@pytest.mark.parametrize("answer", [listing(), listing(product()), listing(product("0"))])
def test_a_type_that_the_list_does_not_have_is_told(ground: Grounds, answer: Answers) -> None:
    [found] = prices.look(ground(answer, pools=POOLS))
    assert found.grade is Grade.WARNING
    assert "no m7i.metal-24xl in eu-west-1" in found.what


def test_the_list_is_asked_for_that_type_in_that_region_alone(ground: Grounds) -> None:
    looked = ground(listing(product("5")), pools=POOLS)
    list(prices.look(looked))
    assert isinstance(looked.account, RecordedAccount)
    [(_, _, asked)] = looked.account.asked
    fields = {wanted["Field"]: wanted["Value"] for wanted in asked["Filters"]}
    assert fields["regionCode"] == "eu-west-1"
    assert fields["instanceType"] == "m7i.metal-24xl"
    assert looked.account._client("pricing").meta.region_name == "us-east-1"


def test_a_stack_that_reserves_nothing_asks_for_nothing(ground: Grounds) -> None:
    refused = refusal("pricing", "get_products", "AccessDeniedException")
    assert list(prices.look(ground({("pricing", "get_products"): refused}))) == []
