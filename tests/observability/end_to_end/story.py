"""One run of everything, from the first scrape to the last heartbeat, and what was seen of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.observability.end_to_end.clock import (
    FASTER,
    MACHINE_SECONDS,
    deadline,
    promised,
    seconds,
)
from tests.observability.end_to_end.replay import Line
from tests.observability.end_to_end.scenario import EXPECTED, KILLED, OLD, Expected, group_of
from tests.observability.end_to_end.servers import Server, wait_for
from tests.observability.end_to_end.stage import Stage, stage
from tests.observability.end_to_end.webhook import Told

PAUSE, GROUP_INTERVAL = "15s", "1m"
"""Alertmanager's, on the true clock: a test holds them against its configuration."""
CHANGES = f"{int(seconds(PAUSE) + seconds(GROUP_INTERVAL))}s"
"""What Alertmanager may take to tell of a change in a group that it has told of before."""
RESENT = 4 * 60.0
"""Seconds, on the true clock, for which Alertmanager believes that an alert fires that Prometheus
says no more: four times what Prometheus lets pass between two times of saying it."""
BEATS = 3
"""Heartbeats that somebody waits for before he believes that they come, or that they don't."""
RESTARTED = "SandboxCPUHigh"
"""Pending while Prometheus restarts: its `for` is the longest."""
SETTLED = Expected(
    alert="SandboxMemoryHigh",
    receivers=("responder", "chat"),
    labels={"pod": "memory", "tenant": "acme"},
)


@dataclass(kw_only=True)
class Story:
    """What was seen. Times are Unix seconds."""

    stage: Stage
    began: float = 0.0
    """When Prometheus was ready for the first time."""
    told: list[Told] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    """What didn't arrive by its time."""
    active_before: float = 0.0
    active_after: float = 0.0
    """Since when the alert that was pending was so, before and after the restart."""
    restarted: float = 0.0
    silenced: Mapping[str, Any] = field(default_factory=dict)
    """Alertmanager's word of the silenced alert."""
    heard_of_silenced: list[Told] = field(default_factory=list)
    inhibited: list[Mapping[str, Any]] = field(default_factory=list)
    settled: float = 0.0
    killed: float = 0.0
    forgotten: float = 0.0
    """When Alertmanager no longer believed that the heartbeat fires."""
    beats_after: int = 0
    """Heartbeats after that."""

    def arrivals(self, expected: Expected, status: str = "firing") -> dict[str, list[Told]]:
        """By receiver, what told of it."""
        found: dict[str, list[Told]] = {}
        for told in self.told:
            if any(_is(each, expected) for each in told.alerts(status)):
                found.setdefault(told.receiver, []).append(told)
        return found


def told_of(told: list[Told], expected: Expected, status: str = "firing") -> bool:
    """Whether all receivers heard of it. Slack is told in words, without labels."""
    heard = {
        each.receiver
        for each in told
        if any(_is(alert, expected) for alert in each.alerts(status))
        or (each.receiver == "chat" and _in_words(each, expected, status))
    }
    return set(expected.receivers) <= heard


def _is(alert: Mapping[str, Any], expected: Expected) -> bool:
    wanted = {"alertname": expected.alert, **expected.labels}
    return bool(wanted.items() <= alert["labels"].items())


def _in_words(told: Told, expected: Expected, status: str) -> bool:
    title = str(told.body["attachments"][0]["title"])
    return expected.alert in title and title.startswith(f"[{status.upper()}")


def run(folder: Path) -> Story:
    """All of it."""
    with stage(folder) as everything:
        story = Story(stage=everything)
        silence = _silence(everything.alertmanager, OLD)
        story.began = time.time()
        _restart_while_pending(story)
        _everything_fires(story)
        _muted(story)
        _silenced(story, silence)
        _settles(story)
        _one_is_killed(story)
        _all_ends(story)
        story.told = everything.webhook.told
        return story


def _restart_while_pending(story: Story) -> None:
    judge = story.stage.prometheus
    rule, group, pause = rule_of(story, RESTARTED)
    length = deadline(promised(rule, group, pause))
    wait_for(lambda: bool(_active(judge, RESTARTED)), length, f"{RESTARTED} is pending")
    story.active_before = _active(judge, RESTARTED)
    # Half of its `for`: more than a restart takes, for whose length it isn't pending.
    half = seconds(rule.hold) / FASTER / 2
    wait_for(lambda: time.time() - story.active_before > half, half + MACHINE_SECONDS, "half")
    judge.stop()
    story.restarted = time.time()
    judge.start()
    wait_for(
        lambda: _is_restored(story, _active(judge, RESTARTED)),
        MACHINE_SECONDS,
        "an alert that was pending before Prometheus was restarted is so since before that",
    )


def _is_restored(story: Story, active: float) -> bool:
    story.active_after = active
    return 0 < active < story.restarted


def rule_of(story: Story, alert: str) -> tuple[Any, Any, str]:
    """What `promised` asks for."""
    group, rule = group_of(story.stage.groups, alert)
    return rule, group, PAUSE


def _everything_fires(story: Story) -> None:
    for expected in EXPECTED:
        bound = story.began + deadline(promised(*rule_of(story, expected.alert)))
        _hear(story, expected, bound - time.time())


def _hear(story: Story, expected: Expected, length: float, status: str = "firing") -> None:
    heard = story.stage.webhook.until(
        lambda told: told_of(told, expected, status), max(length, 0.0)
    )
    if not heard:
        story.late.append(f"{status}: {expected.name}")


def _muted(story: Story) -> None:
    story.inhibited = [
        each
        for each in _alerts(story.stage.alertmanager, "NodeFilesystemAlmostOutOfSpace")
        if each["status"]["inhibitedBy"]
    ]


def _silence(told: Server, expected: Expected) -> str:
    now = datetime.now(UTC)
    matchers = {"alertname": expected.alert, **expected.labels}
    answer = told.post(
        "/api/v2/silences",
        {
            "matchers": [
                {"name": name, "value": value, "isRegex": False, "isEqual": True}
                for name, value in matchers.items()
            ],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "somebody",
            "comment": "known",
        },
    )
    return str(answer["silenceID"])


def _silenced(story: Story, silence: str) -> None:
    told = story.stage.alertmanager
    wait_for(lambda: bool(_alerts(told, OLD.alert)), MACHINE_SECONDS, f"{OLD.alert} fires")
    (story.silenced,) = _alerts(told, OLD.alert)
    story.heard_of_silenced = [
        each
        for each in story.stage.webhook.told
        if told_of([each], replace(OLD, receivers=("responder",)))
    ]
    told.delete(f"/api/v2/silence/{silence}")
    _hear(story, OLD, deadline(seconds(CHANGES)))


def _settles(story: Story) -> None:
    """A sandbox gives its memory back."""
    said = story.stage.scenario.sources["kubelet-resource"]
    said.lines = [_given_back(each) for each in said.lines]
    story.settled = time.time()
    _, rule = group_of(story.stage.groups, SETTLED.alert)
    length = promised(replace(rule, hold=""), rule_of(story, SETTLED.alert)[1], CHANGES)
    _hear(story, SETTLED, deadline(length), "resolved")


def _given_back(line: Line) -> Line:
    whose = (line.labels.get("namespace"), line.labels.get("pod"))
    return replace(line, first=100.0) if whose == ("agents-acme", "memory") else line


def _one_is_killed(story: Story) -> None:
    story.stage.exporter.stop()
    story.killed = time.time()
    for expected in KILLED:
        bound = story.killed + deadline(promised(*rule_of(story, expected.alert)))
        _hear(story, expected, bound - time.time())


def _beats(told: list[Told]) -> int:
    return sum(each.receiver == "dead-man" for each in told)


def _all_ends(story: Story) -> None:
    webhook, told = story.stage.webhook, story.stage.alertmanager
    if not webhook.until(lambda heard: _beats(heard) >= BEATS, MACHINE_SECONDS):
        story.late.append("the heartbeat")
    story.stage.prometheus.stop()
    wait_for(
        lambda: not _alerts(told, "Watchdog"),
        deadline(RESENT),
        "Alertmanager believes no more that the heartbeat fires",
    )
    story.forgotten = time.time()
    before = _beats(webhook.told)
    webhook.until(
        lambda heard: _beats(heard) > before + 1, BEATS * seconds(GROUP_INTERVAL) / FASTER
    )
    story.beats_after = _beats(webhook.told) - before


def _query(judge: Server, expression: str) -> list[Any]:
    found: list[Any] = judge.get("/api/v1/query", query=expression)["data"]["result"]
    return found


def _active(judge: Server, alert: str) -> float:
    """Since when it is pending or fires; 0 when it is neither."""
    for each in judge.get("/api/v1/alerts")["data"]["alerts"]:
        if each["labels"]["alertname"] == alert:
            at = str(each["activeAt"])
            whole, _, part = at.removesuffix("Z").partition(".")
            since = datetime.fromisoformat(f"{whole}+00:00").timestamp()
            return since + float(f"0.{part or 0}")
    return 0.0


def _alerts(told: Server, name: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = told.get("/api/v2/alerts", filter=f'alertname="{name}"')
    return found
