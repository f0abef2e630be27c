"""The faster clock changes how often and how long, and nothing else of what is deployed."""

from __future__ import annotations

import json
import re

from components.observability.rules.rule import rule_file
from components.observability.stack.alertmanager import alertmanager_configuration
from tests.observability.end_to_end.clock import faster_routes, faster_rules, promised, seconds
from tests.observability.end_to_end.scenario import (
    EXPECTED,
    KILLED,
    OLD,
    group_of,
    groups_of,
    place_of,
    settings,
)

PLACE = place_of(settings("https://localhost:1"))
TIMES = re.compile(r'"(for|interval|group_wait|group_interval|repeat_interval)": "[^"]*"')


def timeless(document: object) -> str:
    return TIMES.sub(r'"\1"', json.dumps(document))


def test_rules_stay_what_they_are_but_for_their_times() -> None:
    groups = groups_of(PLACE)
    slow, fast = (rule_file(each, runbooks="r") for each in (groups, faster_rules(groups)))
    assert timeless(slow) == timeless(fast)
    assert slow != fast


def test_routes_stay_what_they_are_but_for_their_times() -> None:
    route = alertmanager_configuration(PLACE.observability.alerts)["route"]
    assert timeless(route) == timeless(faster_routes(route))
    assert faster_routes(route)["group_wait"] == "500ms"


def test_what_is_promised_counts_a_scrape_two_judgements_and_the_pause() -> None:
    groups = groups_of(PLACE)
    group, rule = group_of(groups, "SandboxMemoryHigh")
    assert promised(rule, group, "15s") == 15 + 2 * 15 + 5 * 60 + 15
    group, rule = group_of(groups, "SandboxMemoryLeak")
    assert promised(rule, group, "15s") == 15 + 2 * 60 + 15
    assert [seconds(each) for each in ("", "30s", "5m", "4h")] == [0, 30, 300, 14400]


def test_every_alert_about_one_sandbox_is_in_the_run_but_those_that_take_longer_than_it() -> None:
    run = {each.alert for each in (*EXPECTED, *KILLED, OLD)}
    of_sandboxes = {
        alert.name
        for group in groups_of(PLACE)
        for alert in group.alerts
        if group.name.startswith("sandbox")
    }
    # Half an hour is a minute here.
    assert of_sandboxes - run == {"SandboxMemoryExhaustion"}
