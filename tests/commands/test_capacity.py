"""What a plan says of nodes: sandboxes that they hold, and reservations that are paid for."""

from __future__ import annotations

import pytest

from corral.commands.capacity import capacity_document, show_capacity
from corral.commands.screen import Screen
from corral.settings.loading import load_stack_file, stack_file
from corral.settings.stack import Settings
from tests.project_copy import ROOT


def shipped(stack: str) -> Settings:
    """The settings of a shipped stack."""
    return load_stack_file(stack_file(stack, ROOT))


def test_the_plan_of_prod_tells_its_idle_cost(capsys: pytest.CaptureFixture[str]) -> None:
    show_capacity(Screen(quiet=True), shipped("prod"))
    shown = capsys.readouterr().out
    assert "paid for whether nodes run or not" in shown
    assert "of it idle at min-nodes" in shown
    [found] = capacity_document(shipped("prod"))["reservations"]
    assert found["pool"] == "isolated"
    assert found["usdPerMonth"] == round(found["usdPerHour"] * found["nodes"] * 730)
    assert f"{found['usdPerMonth']:,}" in shown


def test_a_stack_that_reserves_nothing_says_nothing_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_capacity(Screen(quiet=True), shipped("dev"))
    assert "reserved capacity" not in capsys.readouterr().out
    assert "reservations" not in capacity_document(shipped("dev"))


def test_a_stack_that_is_not_on_aws_has_neither(capsys: pytest.CaptureFixture[str]) -> None:
    show_capacity(Screen(quiet=True), shipped("local"))
    assert capsys.readouterr().out == ""
    assert capacity_document(shipped("local")) == {}
