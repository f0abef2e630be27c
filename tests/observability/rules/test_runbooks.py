"""Each alert of both halves has one runbook, of one form, and there is no runbook of no alert."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.observability.rules.rule import Alert
from components.observability.rules.rules import rule_groups
from tests.observability.rules.places import place
from tests.observability.rules.platform.stack import whole
from tests.observability.rules.promql import all_alerts

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"
ALERTS = {
    alert.name: alert
    for groups in (rule_groups(whole()), rule_groups(place()))
    for alert in all_alerts(groups)
}
_PARTS = ["## Look", "## Do"]


def wrong(text: str, alert: str) -> str:
    """What a runbook lacks; empty when nothing."""
    title, _, rest = text.partition("\n")
    if title != f"# {alert}":
        return f"it is called {title!r}"
    parts = [line for line in rest.splitlines() if line.startswith("## ")]
    if [part for part in parts if part in _PARTS] != _PARTS:
        return f"its parts are {parts}"
    meaning, look, do = re.split(r"\n## (?:Look|Do)\n", rest)
    if not all(re.sub(r"## .*", "", said).strip() for said in (meaning, look, do)):
        return "a part of it is empty"
    if re.search(r"\b(TODO|TBD|FIXME)\b", text):
        return "it isn't finished"
    return ""


def test_every_alert_has_its_runbook_and_no_runbook_is_of_an_alert_that_is_gone() -> None:
    assert {file.stem for file in RUNBOOKS.iterdir()} == {a.runbook for a in ALERTS.values()}
    assert len({alert.runbook for alert in ALERTS.values()}) == len(ALERTS)


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda a: a.name)
def test_a_runbook_says_what_it_means_where_to_look_and_what_to_do(alert: Alert) -> None:
    text = (RUNBOOKS / f"{alert.runbook}.md").read_text(encoding="utf-8")
    assert wrong(text, alert.name) == ""
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (RUNBOOKS / link).is_file(), f"it leads to {link}"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("# Other\n\nMeans.\n\n## Look\n\na\n\n## Do\n\nb\n", "called"),
        ("# X\n\nMeans.\n\n## Do\n\nb\n\n## Look\n\na\n", "parts"),
        ("# X\n\nMeans.\n\n## Look\n\na\n", "parts"),
        ("# X\n\nMeans.\n\n## Look\n\n## Do\n\nb\n", "empty"),
        ("# X\n\nMeans.\n\n## Look\n\na\n\n## Do\n\nTODO\n", "finished"),
    ],
)
def test_a_runbook_that_lacks_something_is_found(text: str, what: str) -> None:
    assert what in wrong(text, "X")
