"""No plan buys what can't be given back, or reserves what any instance may use up."""

from __future__ import annotations

from typing import Any

import pulumi_aws
import pytest

from corral.policy.check import judge_all
from corral.policy.pack import pack_policies
from corral.policy.program.purchases import COMMITMENTS, RESERVATION, RESOURCE_RULES
from tests.policy.program.plans import good_plan


def bought(kind: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """A resource as a plan lists it."""
    urn = f"urn:pulumi:prod::corral::corral:aws:Pool${kind}::isolated"
    return {"urn": urn, "type": kind, "name": "isolated", "inputs": inputs, "dependencies": []}


@pytest.mark.parametrize("kind", COMMITMENTS)
def test_a_commitment_is_refused_whatever_it_says(kind: str) -> None:
    [found] = judge_all([*good_plan(), bought(kind, {})])
    assert (found.rule, found.undecided) == ("commitments", False)
    assert COMMITMENTS[kind] in found.message


@pytest.mark.parametrize("kind", COMMITMENTS)
def test_the_provider_has_that_kind(kind: str) -> None:
    """A rule about a misspelt type would pass everything."""
    module, _, name = kind.removeprefix("aws:").partition("/")
    assert hasattr(getattr(pulumi_aws, module), name.rpartition(":")[2])


@pytest.mark.parametrize("criteria", [None, "open"])
def test_a_reservation_that_is_open_to_others_is_refused(criteria: str | None) -> None:
    inputs = {"instanceType": "m7i.metal-24xl", "instanceCount": 2}
    inputs |= {"instanceMatchCriteria": criteria} if criteria else {}
    [found] = judge_all([*good_plan(), bought(RESERVATION, inputs)])
    assert found.rule == "reservation-targeted"


def test_a_targeted_reservation_is_no_commitment() -> None:
    assert (
        judge_all([*good_plan(), bought(RESERVATION, {"instanceMatchCriteria": "targeted"})]) == []
    )


def test_pulumi_s_own_judge_has_these_rules_too() -> None:
    packed = {policy.name for policy in pack_policies()}
    assert {rule.id for rule in RESOURCE_RULES} <= packed
