"""What reserved capacity costs, where the price is from, and ways of buying that are refused."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from corral.settings.aws.pools import DEFAULT_INSTANCES
from corral.settings.aws.prices import LISTED_ON, PRICES_FILE, list_prices, price
from corral.settings.aws.reservations import Reservation, reservations
from corral.settings.aws.room import eks_pools
from corral.settings.problems import SettingsError
from tests.settings.aws.recorded_prices import prices_text
from tests.settings.aws.test_contradictions import settings

# As AWS publishes them for us-east-1.
PUBLISHED = {"m5.large": "0.096", "m7i.metal-24xl": "5.32224", "m6a.4xlarge": "0.6912"}

SOURCE = os.environ.get("CORRAL_TEST_PRICES")


@pytest.mark.parametrize("name", PUBLISHED)
def test_prices_that_are_published_stand_in_the_table(name: str) -> None:
    assert list_prices()[name] == Decimal(PUBLISHED[name])


@pytest.mark.skipif(SOURCE is None, reason="CORRAL_TEST_PRICES names no file of Karpenter's prices")
def test_the_committed_prices_are_those_of_karpenter_s_generator() -> None:
    made = prices_text(Path(str(SOURCE)).read_text(encoding="utf-8"))
    assert PRICES_FILE.read_text(encoding="utf-8") == made


def test_what_pools_take_by_default_has_a_price() -> None:
    names = {name for names in DEFAULT_INSTANCES.values() for name in names}
    assert names <= list_prices().keys()


def test_a_larger_type_of_a_family_is_never_cheaper() -> None:
    for family in ("m7i", "m8i", "c8i", "r8i", "m6a"):
        sizes = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge")
        found = [list_prices()[f"{family}.{size}"] for size in sizes]
        assert found == sorted(found) and found[0] > 0, family


def test_the_price_of_another_region_is_said_to_be_the_list_s() -> None:
    here = price("m8i.4xlarge", region="us-east-1", own={})
    there = price("m8i.4xlarge", region="eu-west-1", own={})
    assert here and there and here.usd == there.usd
    assert here.source == f"list of us-east-1, {LISTED_ON}"
    assert "not eu-west-1" in there.source


def test_a_stack_s_own_price_goes_before_the_list_s() -> None:
    own = price("m8i.4xlarge", region="us-east-1", own={"m8i.4xlarge": 0.5})
    assert own and (own.usd, own.source) == (Decimal("0.5"), "aws.prices")


def test_a_type_without_a_price_has_none() -> None:
    assert price("r9g.large", region="us-east-1", own={}) is None


def reserved(edits: dict[str, object]) -> Reservation:
    """The one reservation of the settings that other tests break, after these edits."""
    found = settings(edits)
    aws = found.aws
    assert aws is not None
    [only] = reservations(eks_pools(found.pools), region=aws.region, prices=aws.prices)
    return only


PRICED = {"aws.prices": {"m7i.metal-24xl": 6}}


@pytest.mark.parametrize(("least", "idle"), [(0, 2), (1, 1), (2, 0), (3, 0)])
def test_what_is_reserved_beyond_the_fewest_nodes_is_idle(least: int, idle: int) -> None:
    found = reserved({**PRICED, "pools.metal.min-nodes": least})
    assert (found.nodes, found.idle) == (2, idle)
    document = found.as_document()
    assert document["usdPerMonth"] == 2 * 6 * 730
    assert document["idleUsdPerMonth"] == idle * 6 * 730
    assert found.cells()[4:6] == (f"{2 * 6 * 730:,}", f"{idle * 6 * 730:,}")
    assert f"{idle * 6 * 730:,} of it for idle ones" in found.told()


def test_a_reservation_without_a_price_says_how_to_give_one() -> None:
    found = reserved(
        {
            "pools.metal.machines": "virtual",
            "pools.metal.tier": "container",
            "pools.metal.architecture": "arm64",
            "pools.metal.instances": ["r9g.2xlarge"],
            "aws.region": "us-east-1",
        }
    )
    assert found.price is None
    assert found.cells()[3:] == ("?", "?", "?", "set aws.prices")
    assert found.as_document()["idleUsdPerMonth"] is None
    assert "set aws.prices" in found.told()


@pytest.mark.parametrize(
    ("value", "reason", "fix"),
    [
        ("capacity-block", "GPU and Trainium", "capacity: reserved"),
        ("capacity-blocks", "can't be cancelled", "capacity: reserved"),
        ("savings-plan", "can't be given back", "AWS' billing"),
        ("reserved-instances", "can't be given back", "AWS' billing"),
        ("dedicated-host", "metal machines are whole hosts", "machines: metal"),
        ("reservd", "one of on-demand, spot, reserved", "did you mean reserved?"),
        (3, "one of on-demand, spot, reserved", "write one of these"),
    ],
)
def test_a_way_of_buying_that_is_none_is_refused_with_its_reason(
    value: object, reason: str, fix: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings({"pools.shared.capacity": value})
    [problem] = caught.value.problems
    assert problem.where.endswith("pools.shared.capacity")
    assert reason in problem.rule
    assert fix in problem.fix


@pytest.mark.parametrize("value", [0, -1, 1001, "5"])
def test_an_impossible_price_is_refused(value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        settings({"aws.prices": {"m7i.metal-24xl": value}})
    [problem] = caught.value.problems
    assert problem.rule.startswith("US dollars for one hour")


def test_a_price_of_a_type_that_there_isn_t_is_refused_with_the_nearest() -> None:
    with pytest.raises(SettingsError) as caught:
        settings({"aws.prices": {"m7i.2xlarg": 1}})
    [problem] = caught.value.problems
    assert problem.fix == "did you mean m7i.2xlarge?"
