"""Figures of what judging a fleet costs: which of them break the promise."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.observability.figures import judged
from benchmarks.observability.fleet import SANDBOXES, Fleet, fleet
from corral.settings.tiers import Tier

MEASURED: dict[str, Any] = {
    "seconds": 1.4,
    "usual_seconds": 0.5,
    "least_seconds": 0.4,
    "cpu_seconds": 1.2,
    "scraping_cpu_seconds": 0.5,
    "groups": {"corral-sandbox-leaks": 0.3, "corral-sandbox-memory": 0.1},
    "rules": 176,
    "sandboxes": 1000.0,
    "series": 116004.0,
    "scraped": 90134.0,
    "down": 0.0,
    "missed": 0.0,
    "failed": 0.0,
    "firing": 51.0,
    "samples_per_second": 7591.0,
    "memory": 5e8,
    "most_memory": 5.3e8,
    "load": 1.0,
    "bytes_per_sample": 1.3,
}


def broken(**changed: float) -> list[str]:
    return [each.what for each in judged({**MEASURED, **changed}) if not each.kept]


def test_what_was_measured_within_its_bounds_is_kept() -> None:
    assert broken() == []


@pytest.mark.parametrize("wrong", ["down", "missed", "failed"])
def test_a_run_that_judged_not_everything_counts_for_nothing(wrong: str) -> None:
    assert broken(**{wrong: 1.0}) == ["all that was scraped was judged, nothing late"]


def test_rules_that_take_longer_than_a_second_break_the_promise() -> None:
    (what,) = broken(cpu_seconds=1.52)
    assert what.startswith("176 rules for 1,000 sandboxes")


def test_the_cost_of_a_fleet_is_stated() -> None:
    told = {each.what: each.value for each in judged(MEASURED)}
    assert told["series of them in memory"] == "116,004"
    assert told["disk in a day, at 1.30 bytes a sample"] == "0.85 GB"


def test_the_fleet_has_every_tier_and_its_numbers_change() -> None:
    everybody = list(fleet())
    assert len(everybody) == SANDBOXES
    assert {each.tier for each in everybody} == set(Tier)
    with Fleet(0.0) as served:
        first, second = (served.text("kubelet-resource", "node-1", at) for at in (0.0, 15.0))
    assert first.count("container_memory_working_set_bytes{") == SANDBOXES // 100
    changed = sum(
        a.split()[1] != b.split()[1]
        for a, b in zip(*map(str.splitlines, (first, second)), strict=True)
    )
    assert changed > first.count("\n") / 2
