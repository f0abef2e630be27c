"""What holds of all rules about the platform: what they read is given, kept and recorded."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import promql_parser
import pytest

from components.network.gateway.bootstrap import bootstrap
from components.network.gateway.discovery import ControlPlane
from components.observability.inventory.gateway import GATEWAY
from components.observability.inventory.inventory import all_metrics, metrics_named, sources
from components.observability.inventory.metric import Kind, Metric, Provenance, Source
from components.observability.rules.alerts_reference import metrics_of, recording_rules
from components.observability.rules.platform import platform_groups
from components.observability.rules.rule import Alert, Group
from components.observability.rules.rules import rule_groups
from components.observability.rules.sources_seen import KNOWN_BY
from components.observability.stack.alertmanager import HEARTBEAT_ALERT
from components.observability.stack.monitors import ENVOY_KEPT, targets
from corral.settings.thresholds import RENEWED_DAYS, PlatformThresholds
from tests.observability.rules.platform.cases import ALL
from tests.observability.rules.platform.stack import production, whole
from tests.observability.rules.promql import all_alerts
from tests.observability.rules.promtool import Fires, check_rules
from warden.egress import certificates

RECORDED = Path(__file__).parents[1] / "recorded"
RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"
GROUPS = platform_groups(whole())
ALERTS = [*all_alerts(GROUPS)]
RECORDS = recording_rules(GROUPS)
SERIES = sorted({series for case in ALL for series in case.series})
READ = sorted(
    {
        each
        for group in GROUPS
        for rule in group.rules
        for each in metrics_of(rule.expr, recording_rules(rule_groups(whole())))
    },
    key=lambda metric: (metric.name, metric.source.name),
)
_LABEL = re.compile(r"\$labels\.([a-z_]+)")
BY_A_NODE = ("kubelet", "kube-state-metrics")
"""Jobs that were recorded on a real node, with a clock."""
_OF_ANY_TARGET = {"job", "instance", "metrics_path"}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda a: a.name)
def test_every_alert_is_seen_to_fire_and_to_be_silent(alert: Alert) -> None:
    checks = [c for case in ALL for c in case.checks if isinstance(c, Fires)]
    of_it = [bool(c.labels) for c in checks if c.alert == alert.name]
    assert True in of_it
    assert False in of_it or alert.name == HEARTBEAT_ALERT


@pytest.mark.parametrize("alert", ALERTS, ids=lambda a: a.name)
def test_an_alert_speaks_of_labels_that_it_has(alert: Alert) -> None:
    spoken = set(_LABEL.findall(alert.summary + alert.description + alert.action))
    has = [
        frozenset(labels)
        for case in ALL
        for check in case.checks
        if isinstance(check, Fires) and check.alert == alert.name
        for labels in check.labels
    ]
    # The path is there of those sources alone whose job has several.
    assert all(spoken - {"metrics_path"} <= labels for labels in has)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda a: a.name)
def test_a_runbook_is_about_its_alert(alert: Alert) -> None:
    text = (RUNBOOKS / f"{alert.runbook}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {alert.name}\n")
    assert {"## Look", "## Do"} <= set(text.splitlines())
    named = set(re.findall(r"\b([A-Z][a-z]+(?:[A-Z][a-z]+)+)\b", text))
    others = {each for each in named if (RUNBOOKS / f"{_file(each)}.md").is_file()}
    known = {each.name for each in all_alerts(rule_groups(whole()))}
    assert others <= known


def _file(alert: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", alert).lower()


def test_promtool_has_nothing_against_them() -> None:
    assert check_rules(GROUPS) == ""
    assert check_rules(rule_groups(production())) == ""


@pytest.mark.parametrize("series", SERIES)
def test_a_series_of_a_case_is_one_that_its_source_gives(series: str) -> None:
    node = promql_parser.parse(series)
    assert isinstance(node, promql_parser.VectorSelector)
    labels = {m.name: m.value for m in node.matchers.matchers}
    if labels["job"] == "strange":
        return
    found = metrics_named(str(node.name))
    assert found
    known = _OF_ANY_TARGET | {label for each in found for label in each.labels}
    assert set(labels) <= known | {"namespace", "pod", "container", "endpoint"}


@pytest.mark.parametrize("metric", READ, ids=lambda m: f"{m.name}-{m.source.name}")
def test_what_is_called_recorded_is_in_the_recording_with_its_labels(metric: Metric) -> None:
    if metric.provenance is not Provenance.RECORDED:
        return
    if metric.source.job in BY_A_NODE:
        assert ".prom" in metric.reference
        return  # tests/observability/recording holds them against the inventory
    lines = (RECORDED / Path(metric.reference).name).read_text(encoding="utf-8").splitlines()
    assert [line.partition(":")[0] for line in lines[:3]] == ["# recorded", "# version",
                                                              "# command"]  # fmt: skip
    if metric.reference.endswith(("exporter.txt",)) or metric.name.startswith("corral_tenant"):
        return  # whoever recorded those tests them
    family = re.sub("_(bucket|count|sum)$", "", metric.name)
    typed = family if metric.kind is Kind.HISTOGRAM else metric.name
    assert f"# TYPE {typed} {metric.kind}" in lines
    series = [line for line in lines if re.match(rf"{metric.name}[{{ ]", line)]
    own = set(re.findall(r'([a-z_]+)="', series[0]))
    assert own <= set(metric.labels)
    assert set(metric.labels) - {"namespace", "pod", "service", "container", "endpoint"} == own


@pytest.mark.parametrize("metric", READ, ids=lambda m: f"{m.name}-{m.source.name}")
def test_what_rules_read_of_envoy_is_kept_by_it_and_by_prometheus(metric: Metric) -> None:
    if metric.source.name not in ("gateway", "inbound") or metric.name == "up":
        return
    assert re.fullmatch(ENVOY_KEPT, metric.name)


def test_the_keep_list_leaves_out_figures_of_single_tenants() -> None:
    control = ControlPlane(host="control", port=8443, certificates=None)
    document = bootstrap("/run", control=control, most_connections=1, most_heap=2**30)
    (first, *_) = document["stats_config"]["stats_matcher"]["inclusion_list"]["patterns"]
    assert first == {"prefix": "server."}
    head = (RECORDED / "envoy.txt").read_text(encoding="utf-8").splitlines()[3]
    few, many = re.findall(r"(\d+) series with the laboratory's tenants, (\d+) with", head)[0]
    assert few == many, "forty tenants more must add nothing"


def test_every_source_of_the_inventory_has_an_alert_of_its_absence() -> None:
    assert set(KNOWN_BY) == {source.name for source in sources()}
    by_job = {target.job for target in targets(replace(production()))}
    assert by_job <= {source.job for source in sources()}


@pytest.mark.parametrize(("name", "key"), [(n, k) for n, (_, k) in KNOWN_BY.items() if k])
def test_a_source_is_known_by_a_metric_of_its_own(name: str, key: str) -> None:
    assert name in {each.source.name for each in all_metrics() if each.name == key}


@pytest.mark.parametrize(
    "source", [s for s in sources() if KNOWN_BY[s.name][0](whole())], ids=lambda s: s.name
)
def test_a_source_that_the_stack_has_is_in_each_alert_of_blindness(source: Source) -> None:
    alerts = {alert.name: alert for alert in ALERTS}
    job = f'job="{source.job}"'
    assert job in alerts["MetricsSourceAbsent"].expr
    assert job in alerts["MetricsSourceDown"].expr


def test_nothing_is_watched_that_the_stack_doesnt_have() -> None:
    bare = replace(production(), egress=None, inbound=None, pools={})
    names = {alert.name for alert in all_alerts(platform_groups(bare))}
    assert not [name for name in names if name.startswith(("Gateway", "Resolver", "Egress"))]
    assert {"FalcoDropsEvents", "ReservationUnused", "NodeNotIsolating"} & names == set()
    (absent,) = [a for a in all_alerts(platform_groups(bare)) if a.name == "MetricsSourceAbsent"]
    for source in (GATEWAY.job, "inbound", "corral-falco", "kata-monitor"):
        assert f'"{source}"' not in absent.expr
    shipped = {alert.name for alert in all_alerts(platform_groups(production()))}
    assert "FalcoDropsEvents" not in shipped, "production has no tier container"
    assert "ReservationExceeded" not in shipped, "its pool can't have more than is reserved"
    assert "MonitoringRemoteWriteBehind" not in shipped


def test_logs_are_watched_only_where_they_are_collected() -> None:
    place = production()
    silent = replace(place, observability=place.observability.model_copy(update={"logs": None}))
    about = [a.name for a in all_alerts(platform_groups(place)) if a.name.startswith("Logs")]
    assert about == ["LogsNotRead", "LogsLost", "LogsNotTaken", "LogsQueueFilling", "LogsHeldUp"]
    for alert in all_alerts(platform_groups(silent)):
        assert not alert.name.startswith("Logs")
        assert "corral-logs" not in alert.expr


def test_the_heartbeat_is_what_alertmanager_routes() -> None:
    (heartbeat,) = [alert for alert in ALERTS if alert.expr == "vector(1)"]
    assert heartbeat.name == HEARTBEAT_ALERT
    assert heartbeat.hold == ""


def test_certificates_are_renewed_before_anybody_is_told() -> None:
    assert RENEWED_DAYS == certificates.RENEWED_DAYS
    assert PlatformThresholds().certificate_days < certificates.RENEWED_DAYS


def test_names_of_groups_are_told_apart() -> None:
    names = [group.name for group in rule_groups(whole())]
    assert len(set(names)) == len(names)


def test_groups_stand_behind_those_they_build_on() -> None:
    """Else a rule reads what was recorded a step ago, or nothing at first."""
    seen: set[str] = set()
    for group in rule_groups(whole()):
        _judge(group, seen)


def _judge(group: Group, seen: set[str]) -> None:
    everything = recording_rules(rule_groups(whole()))
    for rule in group.rules:
        for name in re.findall(r"[a-z_]+:[a-z0-9_:]+", rule.expr):
            assert name not in everything or name in seen or name.startswith("corral:")
        if not isinstance(rule, Alert):
            seen.add(rule.record)
