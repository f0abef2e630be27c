"""What takes as long as the gateway's timeouts."""

from __future__ import annotations

import pytest

from tests.network.gateway.steps import plain, tunnelled
from tests.network.gateway.waiting import REBOUND, SLOW, Waiting
from tests.network.laboratory.outside import Laboratory, proxy


@pytest.mark.parametrize("name", SLOW)
def test_whoever_says_nothing_is_cut_off(
    laboratory: Laboratory, waiting: Waiting, name: str
) -> None:
    end = laboratory.result(waiting.slow[name])["end"]

    assert end in ("closed", "reset"), "it is kept for as long as it likes"


@pytest.mark.parametrize("way", ["plain", "CONNECT"])
def test_a_name_that_leads_elsewhere_later_leads_nowhere(
    laboratory: Laboratory, waiting: Waiting, way: str
) -> None:
    laboratory.result(waiting.rebound)
    steps = plain(REBOUND) if way == "plain" else tunnelled(f"{REBOUND}:443", REBOUND)

    seen = laboratory.ask("probe", host="127.0.0.1", port=proxy("acme"), steps=steps, logs=False)

    assert not [each for each in seen["reached"] if each.startswith("10.")]
