"""Attacks on a real Envoy that runs what is deployed: every one fails, at its wall."""

from __future__ import annotations

import pytest

from tests.network.gateway.attacks import attacks
from tests.network.gateway.attacks.attack import Attack
from tests.network.gateway.judging import outcome, tried
from tests.network.laboratory.outside import Laboratory

ATTACKS = attacks()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_fails_at_its_wall(laboratory: Laboratory, attack: Attack) -> None:
    seen = tried(laboratory, attack)

    assert outcome(attack, seen) == attack.wall, seen


def test_there_are_at_least_eighty_attacks_each_with_a_name_of_its_own() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 80
