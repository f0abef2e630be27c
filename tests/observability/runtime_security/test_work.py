"""Work, as it was recorded, brings nobody an alert; what it brings is counted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from components.observability.runtime_security import programs
from components.observability.runtime_security.detections import Watch, detections
from warden.seccheck.conditions import compiled

RECORDED = Path(__file__).with_name("recorded") / "work.jsonl"
FOUND = detections(
    Watch(
        tool_runners={"worker": programs.TOOL_RUNNERS},
        ports=(53, 80, 443, 3128),
        services=("10.96.0.0/12",),
    )
)


def events() -> list[dict[str, Any]]:
    lines = RECORDED.read_text(encoding="utf-8").splitlines()
    # JSON has no tuples, and a field with several values is one.
    return [
        {key: tuple(value) if isinstance(value, list) else value for key, value in told.items()}
        for told in map(json.loads, lines)
    ]


def met() -> Counter[str]:
    found: Counter[str] = Counter()
    for each in FOUND:
        holds = compiled(each.when.document(frozenset({"worker"})))
        for told in events():
            if told["event"] == each.event and holds(told):
                found[each.name] += told["times"]
    return found


def test_the_sample_has_the_kinds_of_work_that_it_is_said_to_have() -> None:
    told = events()
    assert sum(each["times"] for each in told) > 1000
    started = {each["program"] for each in told if each["event"] == "exec"}
    assert {"git", "python3", "make", "as", "node", "find", "tar", "sh", "bash"} <= started | {
        name for each in told for name in each.get("ancestors", ())
    }
    assert {each["port"] for each in told if each["event"] == "connect"} >= {443, 3128}


def test_nothing_of_it_alerts() -> None:
    alerting = {each.name for each in FOUND if each.alerts}
    assert met().keys() & alerting == set()


def test_what_is_counted_stays_within_its_budget_for_ten_such_sessions_a_day() -> None:
    budgets = {each.name: each.budget for each in FOUND}
    for name, times in met().items():
        assert times * 10 <= budgets[name], name


def test_a_detection_that_work_meets_would_be_noticed() -> None:
    wide = {"all": [{"in": {"field": "program", "values": ["bash", "sh"]}}, {"not": {"fact": "x"}}]}
    assert any(compiled(wide)(told) for told in events() if told["event"] == "exec")
