"""What panels ask for, before anybody is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import promql_parser as parser
import pytest

from components.observability.dashboards.dashboards import dashboards
from components.observability.dashboards.panel import Dashboard, Panel
from components.observability.inventory.inventory import metric
from components.observability.inventory.metric import EVERY_TIER
from components.observability.rules.rule import Rule
from components.observability.rules.rules import rule_groups
from corral.settings.tiers import Tier
from tests.observability.dashboards.places import PLACES
from tests.observability.rules.promql import SYNTHETIC, recorded, selectors, tiers_of

ASKED = [
    pytest.param(where, panel, id=f"{where}: {board.title}: {panel.title}")
    for where, place in PLACES.items()
    for board in dashboards(place())
    for panel in board.panels
]
BOARDS = [
    pytest.param(where, board, id=f"{where}: {board.title}")
    for where, place in PLACES.items()
    for board in dashboards(place())
]


@cache
def records(where: str) -> Mapping[str, list[Rule]]:
    return recorded(rule_groups(PLACES[where]()))


@pytest.mark.parametrize(("where", "panel"), ASKED)
def test_a_query_reads_only_what_a_source_or_a_rule_gives(where: str, panel: Panel) -> None:
    for query in panel.queries:
        parser.parse(query.expr)
        for name, matchers in selectors(query.expr):
            if name not in SYNTHETIC and name not in records(where):
                metric(name, *matchers)


@pytest.mark.parametrize(("where", "panel"), ASKED)
def test_a_panel_claims_exactly_the_tiers_that_its_queries_can_speak_of(
    where: str, panel: Panel
) -> None:
    found: frozenset[Tier] = frozenset()
    for query in panel.queries:
        if not query.limit:
            found |= tiers_of(query.expr, records(where))
    assert found == EVERY_TIER - panel.blind.keys()


@pytest.mark.parametrize(("where", "board"), BOARDS)
def test_each_variable_is_offered_and_each_offered_one_is_used(
    where: str, board: Dashboard
) -> None:
    offered: set[str] = set()
    for variable in board.variables:
        assert _used(variable.selector) <= offered, "what it is chosen by comes first"
        offered.add(variable.name)
        for name, _ in selectors(variable.selector):
            assert name in records(where)
    used = {name for panel in board.panels for query in panel.queries for name in _used(query.expr)}
    assert used == offered


def test_several_choices_are_matched_as_an_expression() -> None:
    for place in PLACES.values():
        for board in dashboards(place()):
            several = {variable.name for variable in board.variables if variable.several}
            for panel in board.panels:
                for query in panel.queries:
                    for name in several:
                        assert f'="${name}' not in query.expr, "All is `.+`, which no value equals"


def _used(expr: str) -> set[str]:
    return set(re.findall(r"\$([a-z]\w*)", expr))
