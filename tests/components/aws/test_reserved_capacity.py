"""Reserved capacity: targeted, kept, spread over zones, and its cost said in a plain preview."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from corral.policy.program.purchases import COMMITMENTS
from tests.components.aws.test_contract import SHIPPED, changed, of_type, shipped
from tests.components.examples import registered

RESERVATION = "aws:ec2/capacityReservation:CapacityReservation"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the program tells the engine's reader."""
    found: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lambda text, *_: found.append(text))
    return found


def test_a_preview_tells_what_is_paid_for_in_any_case(told: list[str]) -> None:
    registered(changed("prod", aws__prices={"m7i.metal-24xl": 6}))
    [said] = [text for text in told if "reserved" in text]
    assert said.startswith("pool isolated: 3 x m7i.metal-24xl reserved, paid for whether nodes run")
    assert "13,140 USD a month" in said


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_reservation_is_spread_over_zones_targeted_and_kept(count: int) -> None:
    edits: dict[str, Any] = {
        "pools__isolated__reserved-nodes": count,
        "pools__isolated__max-nodes": 6,
    }
    found = of_type(registered(changed("prod", **edits)), RESERVATION)
    counts = sorted(each.inputs["instanceCount"] for each in found)
    assert sum(counts) == count
    assert counts[-1] - counts[0] <= 1, "as evenly as it goes"
    for each in found:
        assert each.inputs["instanceMatchCriteria"] == "targeted"
        assert each.inputs["endDateType"] == "unlimited"
        assert each.protect, "given up, it may not be had again"


@pytest.mark.parametrize("stack", SHIPPED)
def test_no_shipped_stack_buys_what_can_t_be_given_back(stack: str) -> None:
    found = registered(shipped(stack))
    assert not {each.type for each in found.values()} & COMMITMENTS.keys()
