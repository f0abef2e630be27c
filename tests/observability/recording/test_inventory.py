"""What the inventory says of kubelets and kube-state-metrics, held against what real ones said."""

from __future__ import annotations

import pytest

from components.observability.inventory.inventory import all_metrics
from components.observability.inventory.metric import Metric, Provenance
from corral.settings.tiers import Tier
from tests.observability.recording.series import FOLDER, labels_of, numbers, recorded

NODE = {
    Tier.CONTAINER: recorded("kubelet-cadvisor-runc.prom", "kubelet-resource-runc.prom"),
    Tier.GVISOR: recorded("kubelet-cadvisor-gvisor.prom", "kubelet-resource-gvisor.prom"),
}
VOLUMES = recorded("kubelet-volumes.prom")
STATE = recorded("kube-state-metrics.prom")

OF_TARGETS = {"job", "instance", "metrics_path"}
NEVER_HAPPENED = {
    "container_pressure_memory_stalled_seconds_total",
    "container_pressure_memory_waiting_seconds_total",
}
"""Nothing on the node waited for memory: it had enough, and what went above its limit died."""
NOT_TRIED = {
    "label_corral_dev_quarantine": "no namespace was in quarantine",
    "label_corral_dev_purpose": "the node has no purpose",
    "priority_class": "no priority class",
}
"""Labels that the recording has no occasion for."""

FROM_THE_NODE = [
    m for m in all_metrics() if m.source.job == "kubelet" and m.source.metrics_path != "/metrics"
]
RECORDED = [
    m
    for m in all_metrics()
    if m.source.job in ("kubelet", "kube-state-metrics") and m.provenance is Provenance.RECORDED
]


def rows(metric: Metric, among: dict[str, str]) -> list[tuple[dict[str, str], list[float]]]:
    """Labels and answers of the metric's series, told apart by its matchers."""
    read = ((*labels_of(key), numbers(values)) for key, values in among.items())
    return [
        (labels, answers)
        for name, labels, answers in read
        if name == metric.name
        and labels.get("metrics_path", "") == metric.source.metrics_path
        and all(_matches(labels, matcher) for matcher in metric.matchers)
    ]


def _matches(labels: dict[str, str], matcher: str) -> bool:
    label, _, wanted = matcher.partition("=")
    value = labels.get(label.removesuffix("!"), "")
    return (value != wanted.strip('"')) if label.endswith("!") else (value == wanted.strip('"'))


@pytest.mark.parametrize("tier", NODE)
@pytest.mark.parametrize("metric", FROM_THE_NODE, ids=lambda m: f"{m.name}-{m.matchers}")
def test_under_a_tier_that_has_it_a_metric_says_something_and_nothing_under_others(
    metric: Metric, tier: Tier
) -> None:
    most = max((value for _, held in rows(metric, NODE[tier]) for value in held), default=0.0)
    if tier not in metric.tiers:
        assert most == 0
    elif metric.name in NEVER_HAPPENED:
        assert rows(metric, NODE[tier])
    else:
        assert most > 0


@pytest.mark.parametrize("metric", RECORDED, ids=lambda m: f"{m.name}-{m.matchers}")
def test_a_recorded_metric_has_the_labels_that_the_inventory_says(metric: Metric) -> None:
    among = {**NODE[Tier.CONTAINER], **VOLUMES, **STATE}
    found = rows(metric, among)
    assert found, "nobody said it"
    seen = {label for labels, _ in found for label in labels}
    assert set(metric.labels) - seen <= set(NOT_TRIED)
    file = metric.reference.partition(" ")[0].removeprefix("tests/observability/recorded/")
    assert (FOLDER / file).is_file()


@pytest.mark.parametrize("metric", FROM_THE_NODE, ids=lambda m: f"{m.name}-{m.matchers}")
def test_a_kubelets_series_have_no_other_labels(metric: Metric) -> None:
    for among in NODE.values():
        for labels, _ in rows(metric, among):
            assert set(labels) <= {*metric.labels, *OF_TARGETS}


AGENT_SANDBOX = {
    ("kube_sandbox_operating_mode", "Running"): 0.0,
    ("kube_sandbox_operating_mode", "Suspended"): 1.0,
    ("kube_sandboxwarmpool_spec_replicas", ""): 2.0,
    ("kube_sandboxwarmpool_status_ready_replicas", ""): 0.0,
}


def test_a_real_kube_state_metrics_says_of_agent_sandboxes_objects_what_we_have_it_say() -> None:
    found = {}
    for key, values in STATE.items():
        name, labels = labels_of(key)
        if name.startswith("kube_sandbox"):
            assert labels["namespace"] == "agents-acme"
            found[name, labels.get("mode", "")] = numbers(values)[-1]
    assert AGENT_SANDBOX.items() <= found.items()
    of = ("kube_sandbox", "kube_sandboxclaim")
    assert {(f"{each}_{what}", "") for each in of for what in ("created", "shutdown_time")} <= set(
        found
    )


def _threads(tier: Tier, pod: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for key, values in NODE[tier].items():
        name, labels = labels_of(key)
        if name == "container_threads" and labels["pod"] == pod:
            what = labels.get("container") or ("pause" if "name" in labels else "pod")
            found[what] = numbers(values)
    return found


@pytest.mark.parametrize("tier", NODE)
def test_the_row_of_a_pause_container_has_no_container_either_and_no_more_than_its_pod(
    tier: Tier,
) -> None:
    runtime = {Tier.CONTAINER: "container", Tier.GVISOR: "gvisor"}[tier]
    found = _threads(tier, f"calm-{runtime}")
    assert set(found) == {"pod", "pause", "agent", "tools"}
    assert max(found["pause"]) <= max(found["pod"])


def test_the_whole_of_gvisors_kernel_is_in_the_row_of_the_pause_container() -> None:
    found = _threads(Tier.GVISOR, "calm-gvisor")
    assert max(found["pause"]) > 50
    assert max(found["agent"]) == max(found["tools"]) == 0
    assert max(_threads(Tier.CONTAINER, "calm-container")["pause"]) == 1
