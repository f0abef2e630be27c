"""How many zones offer a type: what is certain before an account is asked."""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy
from typing import Any

import pytest

from corral.settings.aws.instances import instances, offered, regions
from corral.settings.aws.zones import (
    ZONES_FILE,
    check_offered_zones,
    check_zone_count,
    zones_of,
    zones_with,
)
from corral.settings.loading import load_value
from corral.settings.problems import NotAllowedError, SettingsError
from tests.cloud.stacks import DEV
from tests.settings.aws.recorded_zones import zones_text


def test_the_committed_table_is_what_ec2_answered() -> None:
    again = "write it again: python -m tests.settings.aws.recorded_zones"
    assert ZONES_FILE.read_text(encoding="utf-8") == zones_text(), again


@pytest.mark.parametrize("region", regions())
def test_what_a_region_offers_is_offered_in_one_of_its_zones(region: str) -> None:
    assert len(zones_of(region)) >= 2
    nowhere = [
        name for name in instances() if offered(name, region) and not zones_with([name], region)
    ]
    assert not nowhere


def test_a_zone_that_lacks_a_family_is_told_from_those_that_have_it() -> None:
    assert zones_with(["m8i.4xlarge"], "us-east-1") == zones_of("us-east-1") - {"use1-az3"}
    assert zones_with(["c5d.metal"], "us-east-1") == zones_of("us-east-1") - {
        "use1-az3",
        "use1-az5",
    }


def test_of_several_types_one_in_a_zone_is_enough() -> None:
    one, other = zones_with(["c6id.large"], "eu-west-2"), zones_with(["m6id.large"], "eu-west-2")
    both = zones_with(["c6id.large", "m6id.large"], "eu-west-2")
    assert both == one | other
    assert len(both) > len(one)


@pytest.mark.parametrize(
    ("types", "region", "count"),
    [
        (["m8i.4xlarge"], "us-east-1", 5),
        (["m7i.2xlarge"], "eu-west-1", 3),
        (["m7i.2xlarge"], "mx-central-1", 3),
    ],
)
def test_as_many_zones_as_offer_it_are_taken_and_unknown_regions_too(
    types: Collection[str], region: str, count: int
) -> None:
    check_offered_zones(types, region, count)


def test_one_more_is_refused_with_the_number_that_there_is() -> None:
    with pytest.raises(NotAllowedError) as refused:
        check_offered_zones(["m8i.4xlarge"], "us-east-1", 6)
    assert "5 of the 6 zones of us-east-1 offer m8i.4xlarge" in refused.value.rule
    assert "corral doctor" in refused.value.fix


def test_more_zones_than_a_region_has_are_refused() -> None:
    check_zone_count("us-west-1", 2)
    with pytest.raises(NotAllowedError, match="at most 2 zones: us-west-1 has no more"):
        check_zone_count("us-west-1", 3)


def stack(region: str, zones: list[str], **pool: Any) -> dict[str, Any]:
    settings = deepcopy(DEV)
    settings["aws"] |= {"region": region}
    settings["aws"]["network"] |= {"zones": zones}
    settings["pools"]["sandboxed"] |= {"zones": zones, **pool}
    return settings


def test_a_stack_says_which_pool_wants_too_many_zones() -> None:
    load_value(stack("eu-west-1", ["a", "b"], instances=["m8id.2xlarge"]), "test")
    with pytest.raises(SettingsError) as refused:
        load_value(stack("eu-west-1", ["a", "b", "c"], instances=["m8id.2xlarge"]), "test")
    assert "pools.sandboxed.zones" in str(refused.value)
    assert "2 of the 3 zones of eu-west-1 offer m8id.2xlarge" in str(refused.value)


def test_a_stack_says_that_its_region_has_fewer_zones() -> None:
    with pytest.raises(SettingsError) as refused:
        load_value(stack("us-west-1", ["a", "b", "c"]), "test")
    assert "aws.network.zones" in str(refused.value)
