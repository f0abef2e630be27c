"""Each panel over the sample, on a real Prometheus: what it asks for must be there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from components.observability.dashboards.dashboards import dashboards
from components.observability.dashboards.panel import SANDBOX, Dashboard, Panel, Query, Shape
from components.observability.inventory.inventory import metrics_named
from components.observability.rules.rules import rule_groups
from tests.observability.dashboards import sample
from tests.observability.dashboards.places import production
from tests.observability.dashboards.sample_sandboxes import SANDBOXES
from tests.observability.dashboards.store import Labels, Store, filled

PLACE = production()
BOARDS = {board.uid: board for board in dashboards(PLACE)}
CHOSEN = [{"tenant": "acme", "pod": pod} for pod in ("worker-4", "planner-2", "judge-1")]
"""Sandboxes that between them have everything that one may have."""
ASKED = [
    pytest.param(board, panel, query, id=f"{board.title}: {panel.title} {query.legend}")
    for board in BOARDS.values()
    for panel in board.panels
    for query in panel.queries
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    found = Store(tmp_path_factory.mktemp("prometheus") / "store", rule_groups(PLACE))
    try:
        found.fill()
        yield found
    finally:
        found.stop()


def answers(store: Store, board: Dashboard, panel: Panel, query: Query) -> list[Labels]:
    """Labels of each series that comes, for all choices together."""
    choices = CHOSEN if board.uid == SANDBOX else [{"tenant": ".+"}]
    found: list[Labels] = []
    for chosen in choices:
        expr = filled(query.expr, chosen)
        if panel.shape is Shape.CURVES:
            found += [labels for labels, values in store.over_time(expr) if values]
        else:
            found += [labels for labels, _ in store.now(expr)]
    return found


@pytest.mark.parametrize(("board", "panel", "query"), ASKED)
def test_a_query_has_an_answer_whose_series_can_be_told_apart(
    store: Store, board: Dashboard, panel: Panel, query: Query
) -> None:
    found = answers(store, board, panel, query)
    assert found, "nothing in the sample answers it"
    if panel.shape is Shape.TABLE:
        told = {label for label, _ in panel.columns}
        missing = told - set().union(*found)
        assert not missing, "columns that stay empty"
    else:
        told = set(re.findall(r"{{(\w+)}}", query.legend))
        # A class or a pool may be unknown, and a container of a guest's own figure has no name.
        assert all(told & labels.keys() for labels in found) or not told
        assert not told - set().union(*found), "the legend names labels that nothing has"
        if board.uid != SANDBOX:
            names = [tuple(labels.get(label, "") for label in sorted(told)) for labels in found]
            assert len(set(names)) == len(names), "two series of one name"


@pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))
def test_each_variable_offers_what_the_sample_has(store: Store, board: Dashboard) -> None:
    for variable in board.variables:
        selector = filled(variable.selector, {"tenant": "acme"})
        found = store.label_values(selector, variable.taken)
        pods = [pod for tenant, pod in SANDBOXES if tenant == "acme"]
        expected = ["acme", "health-records"] if variable.name == "tenant" else sorted(pods)
        assert sorted(found) == expected


def test_the_sample_has_only_labels_that_the_sources_give() -> None:
    for series in sample.whole():
        name, _, rest = series.partition("{")
        labels = set(re.findall(r'(\w+)="', rest))
        known = {label for metric in metrics_named(name) for label in metric.labels}
        assert metrics_named(name), f"{name} is in no inventory"
        assert labels <= known | {"job", "instance", "metrics_path", "namespace", "pod"}, series


def test_the_sample_has_an_incident(store: Store) -> None:
    fires = {labels["alertname"] for labels, _ in store.now('ALERTS{alertstate="firing"}')}
    assert {
        *("SandboxMemoryLeak", "SandboxOOMKilled", "SandboxQuarantined", "SandboxPending"),
        *("DnsTunnelSuspected", "GatewayConfigurationStale", "NodeNotIsolating", "WarmPoolEmpty"),
    } <= fires
    assert "MetricsMissing" not in fires, "it lacks what a source always gives"
