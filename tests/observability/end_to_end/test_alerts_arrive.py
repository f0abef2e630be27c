"""From what sources say to whoever is told: real Prometheus, Alertmanager and exporter, one run.

Time runs thirty times as fast (clock.py); what is deployed is otherwise as it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from components.observability.stack.alertmanager import alertmanager_configuration
from tests.observability.end_to_end.clock import FASTER, seconds
from tests.observability.end_to_end.scenario import (
    EXPECTED,
    KILLED,
    OLD,
    RUNBOOKS,
    Expected,
    group_of,
    secrets,
)
from tests.observability.end_to_end.story import (
    BEATS,
    GROUP_INTERVAL,
    PAUSE,
    SETTLED,
    Story,
    run,
    told_of,
)
from tests.project_copy import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

BECAUSE_OF_THE_MACHINE = frozenset({"MonitoringRulesSkipped"})
"""Fires rightly where half a second is too short for all rules: a machine with much else to do."""
NEWER = frozenset({"notification_reason", "routeLabels"})
"""Fields that Alertmanager 0.34 sends and Debian's 0.25 does not."""
OF_THE_CHART = frozenset({"NodeFilesystemAlmostOutOfSpace"})


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    yield run(tmp_path_factory.mktemp("end-to-end"))


def test_everything_arrives_within_the_time_that_it_promises(story: Story) -> None:
    assert story.late == []


@pytest.mark.parametrize("expected", (*EXPECTED, *KILLED, OLD), ids=lambda each: each.name)
def test_an_alert_arrives_where_it_is_to_and_nowhere_else(story: Story, expected: Expected) -> None:
    assert told_of(story.told, expected), "it came to everybody who was to hear of it"
    # Slack is told in words; everybody else in labels, by which alerts of one name are told apart.
    assert set(story.arrivals(expected)) == set(expected.receivers) - {"chat"}


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda each: each.name)
def test_no_alert_comes_before_its_time(story: Story, expected: Expected) -> None:
    (first, *_) = next(iter(story.arrivals(expected).values()))
    _, rule = group_of(story.stage.groups, expected.alert)
    # The exporter and the heartbeat were there a little before Prometheus was ready.
    assert first.at - story.began > seconds(rule.hold) / FASTER - 1


def test_nothing_else_is_told(story: Story) -> None:
    names = {
        alert["labels"]["alertname"]
        for told in story.told
        for alert in told.alerts("firing")
        if told.receiver != "dead-man"
    }
    wanted = {each.alert for each in (*EXPECTED, *KILLED, OLD)}
    assert names - BECAUSE_OF_THE_MACHINE - OF_THE_CHART == wanted


def test_each_alert_says_whose_it_is_what_to_do_and_where_to_read_on(story: Story) -> None:
    alerts = [
        alert
        for told in story.told
        if told.receiver == "responder"
        for alert in told.alerts("firing")
        if alert["labels"]["alertname"] not in OF_THE_CHART
    ]
    for alert in alerts:
        labels, annotations = alert["labels"], alert["annotations"]
        assert labels["severity"] in ("critical", "warning")
        assert labels["response"] in ("0", "1", "2", "3")
        assert ("tenant" in labels) == (
            "pod" in labels and labels["namespace"].startswith("agents-")
        ) or labels["alertname"] == "WarmPoolEmpty"
        assert set(annotations) == {"summary", "description", "action", "runbook_url"}
        assert "<no value>" not in json.dumps(annotations)
        page = annotations["runbook_url"].removeprefix(RUNBOOKS)
        assert (ROOT / "docs" / "runbooks" / page.strip("/")).is_file()


def test_a_message_speaks_of_one_tenant_alone(story: Story) -> None:
    for told in story.told:
        tenants = {each["labels"].get("tenant") for each in told.body.get("alerts", [])}
        assert len(tenants) <= 1


def test_the_responder_is_sent_its_token_and_nobody_else_is(story: Story) -> None:
    sent = {told.receiver: told.authorization for told in story.told}
    token = secrets("")["responder-token"]
    assert {name for name, word in sent.items() if token in word} == {"responder"}
    assert sent["responder"] == f"Bearer {token}"


def test_people_read_what_it_is_about_in_their_channel(story: Story) -> None:
    texts = [str(told.body["attachments"]) for told in story.told if told.receiver == "chat"]
    leak = next(text for text in texts if "[FIRING 1] SandboxMemoryLeak of acme" in text)
    assert "(warning)" in leak
    assert "agents-acme/leak leaks memory" in leak
    assert f"{RUNBOOKS}/sandbox-memory-leak.md" in leak


def test_an_alert_that_is_over_is_said_to_be_over(story: Story) -> None:
    over = story.arrivals(SETTLED, "resolved")["responder"]
    assert over[-1].at > story.settled


def test_critical_mutes_the_warning_of_the_same_thing(story: Story) -> None:
    (muted,) = story.inhibited
    assert muted["labels"]["severity"] == "warning"
    heard = [
        alert["labels"]["severity"]
        for told in story.told
        for alert in told.alerts("firing")
        if alert["labels"]["alertname"] in OF_THE_CHART
    ]
    assert set(heard) == {"critical"}


def test_what_is_silenced_isnt_told_until_the_silence_ends(story: Story) -> None:
    assert story.silenced["status"]["state"] == "suppressed"
    assert story.heard_of_silenced == []
    assert story.arrivals(OLD), "afterwards it is told"


def test_what_was_pending_before_a_restart_of_prometheus_goes_on(story: Story) -> None:
    assert story.active_before < story.restarted
    assert 0 < story.active_after < story.restarted, "it didn't begin again"


def test_the_heartbeat_comes_while_all_is_well_and_stops_with_prometheus(story: Story) -> None:
    beats = [told.at for told in story.told if told.receiver == "dead-man"]
    assert len(beats) >= BEATS
    assert story.beats_after <= 1, "one may have been on its way"


def test_times_that_are_counted_on_here_are_those_of_the_configuration(story: Story) -> None:
    route = alertmanager_configuration(story.stage.place.observability.alerts)["route"]
    assert (route["group_wait"], route["group_interval"]) == (PAUSE, GROUP_INTERVAL)


def test_what_is_said_of_a_message_is_what_a_message_has(story: Story) -> None:
    text = (ROOT / "docs" / "responses.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([\w.\[\]]+)`", text, re.MULTILINE))
    seen = set()
    for told in story.told:
        if told.receiver == "responder":
            seen |= {f"{key}" for key in told.body}
            seen |= {f"alerts[].{key}" for alert in told.body["alerts"] for key in alert}
    assert documented - NEWER == seen - NEWER
