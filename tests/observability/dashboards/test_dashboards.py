"""Dashboards as Grafana gets them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard as Schema

from components.observability.dashboards.dashboards import (
    MOST_BYTES,
    dashboard_documents,
    dashboards,
)
from components.observability.dashboards.grafana import COLOURS, GOOD
from components.observability.dashboards.panel import MOST_COLUMNS, Panel, Shape
from components.observability.dashboards.text import description, runbook_file
from components.observability.rules.rule import Alert
from components.observability.rules.rules import rule_groups
from components.observability.stack.grafana import grafana_values
from tests.observability.dashboards.places import PLACES, ROOT, every_tier, production

UIDS = [
    *("corral-fleet", "corral-incidents", "corral-sandbox", "corral-tenants", "corral-tiers"),
    *("corral-leaks", "corral-cost", "corral-egress"),
]
"""Stand in people's bookmarks and in alerts: a change breaks them."""


def boards(where: str = "production") -> list[dict[str, Any]]:
    documents = dashboard_documents(PLACES[where]())
    return [json.loads(text) for d in documents for text in d["data"].values()]


def panels(where: str = "production") -> Iterator[Panel]:
    for board in dashboards(PLACES[where]()):
        yield from board.panels


def all_panels() -> list[Any]:
    return [
        pytest.param(panel, id=f"{where}: {board.title}: {panel.title}")
        for where, place in PLACES.items()
        for board in dashboards(place())
        for panel in board.panels
    ]


def test_there_is_one_for_each_question_under_an_address_that_never_changes() -> None:
    assert [board["uid"] for board in boards()] == UIDS
    assert [board.uid for board in dashboards(every_tier())] == UIDS[:-1], "it has no way out"


def test_grafana_s_sidecar_finds_them_by_label_in_the_namespace_that_it_searches() -> None:
    sidecar = grafana_values(production(), "image")["sidecar"]["dashboards"]
    for document in dashboard_documents(production()):
        labels = document["metadata"]["labels"]
        assert labels[sidecar["label"]] == sidecar["labelValue"]
        assert document["metadata"]["namespace"] == sidecar["searchNamespace"]


def test_they_fit_what_applies_them() -> None:
    for document in dashboard_documents(production()):
        assert len(json.dumps(document).encode()) < MOST_BYTES


def test_the_same_stack_has_the_same_text() -> None:
    assert dashboard_documents(production()) == dashboard_documents(production())


def test_a_stack_without_grafana_has_none() -> None:
    assert dashboard_documents(every_tier(grafana=None)) == []


@pytest.mark.parametrize("where", PLACES)
def test_grafana_s_own_schema_reads_all_of_each(where: str) -> None:
    for document in dashboard_documents(PLACES[where]()):
        (text,) = document["data"].values()
        read = Schema.from_json(json.loads(text))
        again = json.dumps(read, cls=JSONEncoder, sort_keys=True)
        assert json.loads(again) == json.loads(text), "what it doesn't know, it would drop"


def test_every_query_asks_the_source_that_is_provisioned() -> None:
    sources = grafana_values(production(), "image")["datasources"]["datasources.yaml"]
    provisioned = {each["uid"] for each in sources["datasources"]}
    found = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if "datasource" in value:
                found.add(value["datasource"]["uid"])
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    look([[b["panels"], b["templating"]] for b in boards()])
    assert found
    assert found <= provisioned


@pytest.mark.parametrize("where", PLACES)
def test_panels_lie_beside_each_other(where: str) -> None:
    for board in boards(where):
        taken: dict[tuple[int, int], str] = {}
        for panel in board["panels"]:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= MOST_COLUMNS
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    assert (x, y) not in taken, f"{panel['title']} on {taken[x, y]}"
                    taken[x, y] = panel["title"]
        numbers = [panel["id"] for panel in board["panels"]]
        assert len(set(numbers)) == len(numbers)


def test_titles_are_questions_and_none_is_asked_twice_on_a_page() -> None:
    for board in dashboards(production()):
        titles = [panel.title for panel in board.panels]
        assert all(title.endswith("?") for title in titles)
        assert len(set(titles)) == len(titles)
        assert board.question.endswith("?")


def test_links_lead_to_dashboards_that_exist_and_take_what_was_chosen_along() -> None:
    for board in boards():
        uids = {link["url"].removeprefix("/d/"): link for link in board["links"]}
        assert set(uids) == set(UIDS) - {board["uid"]}
        assert all(link["includeVars"] and link["keepTime"] for link in uids.values())


def test_a_sandbox_s_row_leads_to_its_own_dashboard() -> None:
    for board in boards():
        text = json.dumps(board)
        for target in re.findall(r"/d/([a-z-]+)\?var-tenant=\S+?&var-pod=", text):
            assert target == "corral-sandbox"
    assert "var-pod=" in json.dumps(boards()[0])


def test_each_runbook_that_is_linked_exists_and_its_alert_too() -> None:
    alerts = {
        rule.name: rule
        for group in rule_groups(production())
        for rule in group.rules
        if isinstance(rule, Alert)
    } | {a.name: a for group in rule_groups(every_tier()) for a in group.alerts}
    named = {name for where in PLACES for panel in panels(where) for name in panel.alerts}
    assert named <= set(alerts)
    for name in named:
        assert runbook_file(name) == f"{alerts[name].runbook}.md"
        assert (ROOT / "docs" / "runbooks" / runbook_file(name)).is_file(), name


def test_runbooks_are_linked_where_they_have_an_address() -> None:
    linked = [panel for board in boards() for panel in board["panels"] if panel.get("links")]
    assert linked
    for panel in linked:
        assert all(link["url"].startswith("https://git.example.org/") for link in panel["links"])
    assert not [p for b in boards("every tier") for p in b["panels"] if p.get("links")], (
        "docs/runbooks is no address"
    )


def test_no_colour_means_something_by_being_red_or_green() -> None:
    allowed = {GOOD, *COLOURS.values()}
    for board in boards():
        for panel in board["panels"]:
            if panel["type"] != "row":
                steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
                assert {step["color"] for step in steps} <= allowed
        assert not re.search(r'"(dark-|semi-dark-|light-)?(red|green)"|RdYlGr|GrYlRd', str(board))


def test_thresholds_are_those_of_the_settings() -> None:
    def of(title: str, **thresholds: Any) -> tuple[tuple[str, float], ...]:
        found = every_tier(thresholds=thresholds)
        return next(p.thresholds for b in dashboards(found) for p in b.panels if p.title == title)

    title = "How long does work wait for a sandbox?"
    assert of(title) == (("warning", 600),)
    assert of(title, queue="2m") == (("warning", 120),)


@pytest.mark.parametrize("panel", all_panels())
def test_a_panel_says_what_it_shows_and_what_it_does_not(panel: Panel) -> None:
    said = description(panel)
    assert panel.about.endswith(".")
    assert all(f"**Not for {tier}:**" in said for tier in panel.blind)
    assert panel.queries
    assert panel.shape is not Shape.TABLE or panel.columns
    for query in panel.queries[1:]:
        assert query.legend, "several series without a name are one to the eye"
