"""Thresholds: what a stack file may say of them, and which of them could never be an alert."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import pytest

from components.network.gateway.bootstrap import DRAIN_SECONDS
from components.network.gateway.discovery import REFRESH_SECONDS
from components.observability.rules.rules import rule_groups
from corral.settings.durations import duration_text, parse_duration
from corral.settings.loading import load_value
from corral.settings.observability import SCRAPE_SECONDS
from corral.settings.problems import SettingsError
from corral.settings.stack import Settings
from corral.settings.threshold_contradictions import UNSEEN
from corral.settings.thresholds import (
    FASTEST_BURN,
    LEAST_OBJECTIVE,
    LEAST_PENDING,
    LEAST_WINDOW,
    PENDING,
    REACTIONS,
    Objectives,
)
from corral.settings.tiers import Tier
from tests.observability.stack.places import place
from tests.settings.test_workspaces import EXISTING
from warden.egress.figures import SECONDS


def stack(
    *, observability: dict[str, Any] | None = None, max_age: int = 24, **thresholds: Any
) -> Settings:
    """A stack whose class `worker` (tier microvm) has these thresholds."""
    value = deepcopy(EXISTING)
    value["classes"] = {
        "worker": {
            "tier": "microvm",
            "max-age-hours": max_age,
            "thresholds": {key.replace("_", "-"): v for key, v in thresholds.items()},
        }
    }
    value["tenants"] = {}
    if observability is not None:
        value["observability"] = observability
    return load_value(value, "Pulumi.metal.yaml")


def test_a_class_says_nothing_of_thresholds_unless_it_wants_others() -> None:
    thresholds = stack().classes["worker"].thresholds
    assert (thresholds.memory, thresholds.memory_for) == (0.8, 300)
    assert (thresholds.cpu, thresholds.cpu_for) == (0.9, 600)
    assert (thresholds.disk, thresholds.disk_for) == (0.85, 300)
    assert (thresholds.leak, thresholds.leak_hours, thresholds.exhaustion) == (0.05, 2, 4)
    assert thresholds.processes == 0.8
    assert thresholds.pending_on(Tier.MICROVM) == 180


def test_what_a_class_says_holds() -> None:
    thresholds = stack(pending="90s", memory=0.5, memory_for="2m").classes["worker"].thresholds
    assert thresholds.pending_on(Tier.MICROVM) == 90
    assert (thresholds.memory, thresholds.memory_for) == (0.5, 120)


REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    ({"memory": 1.0}, "memory", "less than 1", "write 0.8"),
    ({"memory": 85}, "memory", "less than 1", "write 0.85"),
    ({"cpu": 0}, "cpu", "more than 0", "write 0.8"),
    ({"disk": 1.2}, "disk", "could never be an alert", "write 0.8"),
    ({"processes": 1}, "processes", "less than 1", "write 0.8"),
    ({"memory_for": "15s"}, "memory-for", "two scrapes", "30s or more"),
    ({"cpu_for": "29s"}, "cpu-for", "two scrapes", "30s or more"),
    ({"disk_for": "1s"}, "disk-for", "two scrapes", "30s or more"),
    ({"idle": "10s"}, "idle", "two scrapes", "30s or more"),
    ({"memory_for": 5}, "memory-for", "a length of time", "5m"),
    ({"memory_for": "0m"}, "memory-for", "a length of time", "above zero"),
    ({"pending": "59s"}, "pending", "at least 1m on tier microvm", "1m or more"),
    ({"leak_hours": 24}, "leak-hours", "max-age-hours, 24", "23 or less"),
    (
        {"leak_hours": 24, "max_age": 72, "observability": {"prometheus": {"retention-days": 1}}},
        "leak-hours",
        "retention-days is 1",
        "23 or less",
    ),
    ({"idle": "24h"}, "idle", "less than max-age-hours, which is 24", "leave it out"),
    ({"memory_for": "24h"}, "memory-for", "max-age-hours, which is 24", "leave it out"),
    ({"cpu_for": "2d"}, "cpu-for", "max-age-hours, which is 24", "leave it out"),
    ({"disk_for": "25h"}, "disk-for", "max-age-hours, which is 24", "leave it out"),
    ({"leak_per_hour": 0}, "leak-per-hour", "above 0", ""),
    ({"memory_hours": 1}, "memory-hours", "these keys alone", ""),
]


@pytest.mark.parametrize(("said", "key", "rule", "fix"), REFUSED, ids=lambda v: str(v)[:40])
def test_a_threshold_that_could_never_be_an_alert_is_refused(
    said: dict[str, Any], key: str, rule: str, fix: str
) -> None:
    asked = {"observability": {}, **said}
    with pytest.raises(SettingsError) as refused:
        stack(**asked)
    (problem,) = [p for p in refused.value.problems if p.path[-1] == key]
    assert problem.where == f"corral:settings.classes.worker.thresholds.{key}"
    assert rule in problem.rule
    assert fix in problem.fix
    assert refused.value.source == "Pulumi.metal.yaml"


@pytest.mark.parametrize(("key", "value"), [("disk", 0.5), ("disk-for", "10m"), ("processes", 0.5)])
def test_a_threshold_for_what_nobody_measures_on_the_tier_is_refused(key: str, value: Any) -> None:
    said = deepcopy(EXISTING)
    said["classes"] = {"sealed": {"tier": "confidential", "thresholds": {key: value}}}
    said["tenants"] = {}
    with pytest.raises(SettingsError) as refused:
        load_value(said, "Pulumi.metal.yaml")
    (problem,) = [p for p in refused.value.problems if p.path[-1] == key]
    assert problem.where == f"corral:settings.classes.sealed.thresholds.{key}"
    assert "tier confidential" in problem.rule


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize(
    ("key", "constant"),
    [("memory", "memory_ratio"), ("cpu", "cpu_ratio"), ("disk", "disk_ratio"),
     ("processes", "processes"), ("exhaustion", "exhaustion_hours")],
)  # fmt: skip
def test_what_is_refused_on_a_tier_is_what_no_alert_reads_there(
    tier: Tier, key: str, constant: str
) -> None:
    alerts = [alert for group in rule_groups(place()) for alert in group.alerts]
    read = [a for a in alerts if re.search(rf"corral:threshold:{constant}\b", a.expr)]
    assert read, "a threshold that nothing reads"
    seen = any(tier in alert.tiers for alert in read)
    assert seen is (key not in UNSEEN.get(tier, ()))


def test_leaks_are_looked_for_over_less_than_is_kept() -> None:
    kept = {
        "prometheus": {"retention-days": 1, "storage-class": "fast"},
        "exporter": "registry.example.org/corral/control:1.0.0",
    }
    found = stack(leak_hours=23, max_age=72, observability=kept)
    assert found.classes["worker"].thresholds.leak_hours == 23


def test_of_the_platform_too_a_moment_is_no_alert() -> None:
    with pytest.raises(SettingsError, match="two scrapes"):
        stack(observability={"thresholds": {"queue": "15s"}})


OF_THE_PLATFORM: list[tuple[dict[str, Any], str, str, str]] = [
    ({"thresholds": {"certificate-days": 10}}, "certificate-days", "below 10", "write 9"),
    ({"thresholds": {"dns-refusals-per-minute": 60_000}}, "dns-refusals-per-minute",
     "never refused", "write 120"),
    ({"thresholds": {"denials-per-minute": 0}}, "denials-per-minute", "from 1", ""),
    ({"thresholds": {"gateway-connections": 1.0}}, "gateway-connections", "less than 1", "0.8"),
    ({"thresholds": {"source-absent-for": "20s"}}, "source-absent-for", "two scrapes", "30s"),
    ({"thresholds": {"node-unverified-for": "1s"}}, "node-unverified-for", "two scrapes", "30s"),
    ({"thresholds": {"reservation-unused-for": "1s"}}, "reservation-unused-for", "two scrapes",
     "30s"),
    ({"objectives": {"gateway": 0.93}}, "gateway", "can't reach", "write 0.99"),
    ({"objectives": {"gateway": 1.0}}, "gateway", "nothing to burn", "write 0.99"),
    ({"objectives": {"sandbox-start": 99}}, "sandbox-start", "below 1", "write 0.99"),
    ({"objectives": {"start-within": "15s"}}, "start-within", "two scrapes", "30s"),
    ({"objectives": {"warden-reaction": 0.5}}, "warden-reaction", "can't reach", "write 0.99"),
    ({"objectives": {"reaction-within": "1s"}}, "reaction-within", "can't be kept", "write 2s"),
    ({"objectives": {"reaction-within": "7s"}}, "reaction-within", "counted by these", "write 5s"),
    ({"objectives": {"reaction-within": "2m"}}, "reaction-within", "2s, 3s, 5s, 10s, 30s, 1m",
     "write 1m"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "key", "rule", "fix"), OF_THE_PLATFORM, ids=lambda v: str(v)[:40])
def test_what_could_never_be_an_alert_of_the_platform_is_refused(
    said: dict[str, Any], key: str, rule: str, fix: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        stack(observability=said)
    (problem,) = [p for p in refused.value.problems if p.path[-1] == key]
    assert problem.where == f"corral:settings.observability.{next(iter(said))}.{key}"
    assert rule in problem.rule
    assert fix in problem.fix


def test_an_objective_above_the_least_can_be_missed_by_its_fastest_alert() -> None:
    assert FASTEST_BURN * (1 - LEAST_OBJECTIVE) < 1
    found = stack(
        observability={
            "prometheus": {"storage-class": "fast"},
            "exporter": "registry.example.org/corral/control:1.0.0",
            "objectives": {"gateway": 0.95, "sandbox-start": 0.999, "start-within": "30s"},
        }
    )
    assert found.observability is not None
    assert found.observability.objectives.gateway == 0.95


def test_a_reaction_is_promised_no_faster_than_gateways_ask_and_drain() -> None:
    slowest = 2 * REFRESH_SECONDS + DRAIN_SECONDS
    assert slowest < REACTIONS[0] < slowest + 1


def test_reactions_are_promised_by_what_the_control_plane_counts() -> None:
    assert {within - DRAIN_SECONDS for within in REACTIONS} <= set(SECONDS)
    assert Objectives().reaction_within == REACTIONS[0]


def test_the_least_window_is_two_scrapes() -> None:
    assert LEAST_WINDOW == 2 * SCRAPE_SECONDS


@pytest.mark.parametrize("tier", Tier)
def test_what_is_said_of_a_tier_is_above_its_least(tier: Tier) -> None:
    assert PENDING[tier] > LEAST_PENDING[tier]


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400)]
)
def test_a_length_of_time_reads_as_it_is_written(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds
    assert duration_text(seconds) == text
