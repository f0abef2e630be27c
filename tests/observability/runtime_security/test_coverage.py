"""The table of signals by tier is whole, says why, and is what plans and documents are made of."""

from __future__ import annotations

import pytest

from components.observability.rules.sandbox_processes import process_rules
from components.observability.runtime_security import reference
from components.observability.runtime_security.coverage import (
    COVERAGE,
    SIGNALS,
    Source,
    State,
    gaps,
    missing,
    signals_of,
)
from corral.commands.blind_spots import blind_spots, blind_spots_document
from corral.settings.observability import Observability
from corral.settings.tiers import Tier
from tests.components.examples import LOCAL

OBSERVED = LOCAL.model_copy(update={"observability": Observability()})


def test_every_signal_stands_under_every_tier_with_a_reason() -> None:
    keys = [signal.key for signal in SIGNALS]
    assert len(set(keys)) == len(keys)
    for tier in Tier:
        assert COVERAGE[tier].keys() == set(keys)
        assert all(len(cell.why) > 10 for cell in COVERAGE[tier].values())


def test_what_is_missing_has_no_source_and_what_is_there_has_one() -> None:
    for cells in COVERAGE.values():
        for key, cell in cells.items():
            assert (cell.state is State.MISSING) == (cell.source is Source.NONE), key


@pytest.mark.parametrize("tier", [Tier.MICROVM, Tier.CONFIDENTIAL])
def test_nothing_within_a_microvm_is_called_seen(tier: Tier) -> None:
    seen = {"gateway-denials", "denied-flows", "agent-state"}
    if tier is Tier.MICROVM:
        seen.add("processes")
    assert signals_of(tier) == seen
    assert {each.key for each in missing(tier)} == {each.key for each in SIGNALS} - seen


def test_the_alert_on_processes_covers_the_tiers_whose_processes_are_counted() -> None:
    (alert,) = (each for each in process_rules().alerts if each.name == "SandboxForkBomb")
    assert alert.tiers == {tier for tier in Tier if "processes" in signals_of(tier)}


def test_falco_is_a_source_of_the_container_tier_alone() -> None:
    for tier, cells in COVERAGE.items():
        falco = {key for key, cell in cells.items() if cell.source is Source.FALCO}
        assert bool(falco) == (tier is Tier.CONTAINER)


def test_a_stack_that_watches_nothing_has_gaps_on_every_tier() -> None:
    found = gaps([Tier.CONTAINER], watched=False)
    assert [gap.signals[0] for gap in found] == ["shells"]
    assert "no `observability`" in found[0].sentence()
    assert gaps([Tier.CONTAINER], watched=True) == []


def test_the_plan_tells_the_gaps_of_tiers_that_tenants_use_and_of_no_other() -> None:
    used = {LOCAL.classes[name].tier for tenant in LOCAL.tenants.values() for name in tenant.agents}
    assert {gap.tier for gap in blind_spots(LOCAL)} == used
    assert {gap.tier for gap in blind_spots(OBSERVED)} == used & {Tier.MICROVM, Tier.CONFIDENTIAL}
    nobody = LOCAL.model_copy(update={"tenants": {}})
    assert blind_spots_document(nobody) == {}


def test_switching_runtime_security_off_is_a_gap() -> None:
    off = Observability.model_validate({"runtime-security": None})
    without = LOCAL.model_copy(update={"observability": off})
    assert [gap.sentence() for gap in blind_spots(without)] == [
        gap.sentence() for gap in blind_spots(LOCAL.model_copy(update={"observability": None}))
    ]


def test_the_document_is_what_the_tables_say() -> None:
    assert reference.FILE.read_text(encoding="utf-8") == reference.text(), "run `make reference`"
