"""Every series of every case is one that a source gives: its provenance is the inventory's."""

from __future__ import annotations

import promql_parser
import pytest

from components.observability.inventory.inventory import all_metrics, metrics_named
from components.observability.inventory.metric import Metric, Provenance
from tests.observability.rules.cases import ALL

OF_ANY_TARGET = {"job", "instance"}
OF_TARGETS = {
    "kubelet": {"metrics_path"},
    "kata-monitor": {"namespace", "pod"},
    "k8s-ephemeral-storage-metrics": {"namespace", "pod"},
}
"""Labels that the scrape adds besides: of kubelets the path, of others where they run."""

INIT = "kube_pod_init_container_resource_limits"
"""Given by kube-state-metrics and read by nobody: it stands in cases so as not to count."""

SERIES = sorted({series for case in ALL for series in case.series})


def _read(series: str) -> tuple[str, dict[str, str]]:
    node = promql_parser.parse(series)
    assert isinstance(node, promql_parser.VectorSelector)
    return str(node.name), {m.name: m.value for m in node.matchers.matchers}


def _possible(name: str, labels: dict[str, str]) -> list[Metric]:
    job = labels["job"]
    return [each for each in metrics_named(name) if each.source.job == job]


@pytest.mark.parametrize("series", [s for s in SERIES if not s.startswith(INIT)])
def test_a_series_has_a_source_and_no_label_that_it_doesnt_give(series: str) -> None:
    name, labels = _read(series)
    found = _possible(name, labels)
    assert found, f"nobody gives {name}"
    known = OF_ANY_TARGET | OF_TARGETS.get(labels["job"], set())
    known |= {label for each in found for label in each.labels}
    assert set(labels) <= known
    assert all(each.reference for each in found)


@pytest.mark.parametrize("metric", all_metrics(), ids=lambda m: f"{m.name}-{m.source.name}")
def test_a_metric_says_where_its_form_is_known_from(metric: Metric) -> None:
    if metric.provenance is Provenance.RECORDED:
        assert metric.reference.startswith("tests/observability/recorded/")
    elif metric.source.job != "corral-exporter":
        assert metric.reference.rpartition(":")[2].split("-")[0].isdigit()
