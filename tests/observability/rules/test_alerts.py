"""What holds of all alerts: tiers, gaps, runbooks, words; and that a wrong one would be found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import promql_parser
import pytest

from components.observability.inventory.inventory import UnknownMetric, metric
from components.observability.inventory.metric import Provenance
from components.observability.rules import alerts_reference
from components.observability.rules.promql import series_in
from components.observability.rules.rule import Alert, Group, Rule, prometheus_rules
from components.observability.rules.rules import rule_documents, rule_groups, sandbox_groups
from corral.settings.tiers import Tier
from tests.observability.rules.cases import ALL
from tests.observability.rules.places import place
from tests.observability.rules.promql import all_alerts, recorded, selectors, tiers_of
from tests.observability.rules.promtool import Fires, check_rules, shown_alerts

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"
GROUPS = rule_groups(place())
ALERTS = [*all_alerts(GROUPS)]
RULES = [rule for group in GROUPS for rule in group.rules]
RECORDS = recorded(GROUPS)
_LABEL = re.compile(r"\$labels\.([a-z_]+)")


def _named(rule: Rule | Alert) -> str:
    return rule.name if isinstance(rule, Alert) else rule.record


def untrue(alert: Alert) -> str:
    """What is wrong with the tiers that the alert says it has; empty when nothing."""
    found = tiers_of(alert.expr, RECORDS)
    if alert.tiers - found:
        return f"no signal under {sorted(alert.tiers - found)}"
    if found - alert.tiers:
        return f"says nothing of {sorted(found - alert.tiers)}, where there is a signal"
    silent = frozenset(Tier) - alert.tiers - frozenset(alert.blind)
    return f"doesn't say why not under {sorted(silent)}" if silent else ""


@pytest.mark.parametrize("alert", ALERTS, ids=lambda a: f"{a.name}-{a.hold}")
def test_an_alert_has_a_signal_under_each_tier_it_covers_and_a_reason_for_the_others(
    alert: Alert,
) -> None:
    assert untrue(alert) == ""


_BY_EXPR = {alert.name: alert for alert in ALERTS}
_CADVISOR = 'metrics_path="/metrics/cadvisor"'


@pytest.mark.parametrize(
    ("expr", "missing"),
    [
        (
            "rate(container_pressure_memory_waiting_seconds_total{"
            + _CADVISOR
            + ', container!=""}[5m]) > 0.1',
            "'confidential', 'gvisor', 'microvm'",
        ),
        (
            "deriv(container_memory_working_set_bytes{" + _CADVISOR + ', container=""}[2h]) > 0',
            "'confidential', 'microvm'",
        ),
        ('kata_guest_tasks{item="max"} > 5', "'confidential', 'container', 'gvisor'"),
        ('sandbox:tasks:count{tier="gvisor"} > 5', "'confidential', 'container', 'microvm'"),
    ],
)
def test_an_alert_on_a_signal_that_a_tier_lacks_is_found(expr: str, missing: str) -> None:
    wrong = replace(_BY_EXPR["SandboxMemoryHigh"], expr=expr)
    found = untrue(wrong)
    assert found.startswith("no signal under")
    assert re.sub(r"<Tier\.[A-Z]+: ('[a-z]+')>", r"\1", found).endswith(f"[{missing}]")


def test_an_alert_that_hides_a_tier_is_found() -> None:
    few = replace(_BY_EXPR["SandboxMemoryHigh"], tiers=frozenset({Tier.CONTAINER}))
    assert "where there is a signal" in untrue(few)
    unsaid = replace(_BY_EXPR["SandboxForkBomb"], blind={})
    assert "doesn't say why" in untrue(unsaid)


@pytest.mark.parametrize("rule", RULES, ids=_named)
def test_a_rule_is_promql_and_reads_what_somebody_gives(rule: Rule | Alert) -> None:
    promql_parser.parse(rule.expr)
    for name, matchers in selectors(rule.expr):
        assert name in RECORDS or metric(name, *matchers)


@pytest.mark.parametrize("rule", RULES, ids=_named)
def test_our_reader_of_promql_finds_the_series_that_a_real_parser_finds(rule: Rule | Alert) -> None:
    assert series_in(rule.expr) == selectors(rule.expr)


def test_a_selector_that_takes_in_rows_of_pods_and_of_containers_is_found() -> None:
    with pytest.raises(UnknownMetric, match="several kinds"):
        metric("container_threads", _CADVISOR)
    with pytest.raises(UnknownMetric, match="no source"):
        metric("container_thread")


def test_promtool_has_nothing_against_the_rules() -> None:
    assert check_rules(GROUPS) == ""


def test_promtool_says_so_when_a_rule_is_wrong() -> None:
    wrong = Group(name="wrong", rules=(Rule(record="a:b", expr="sum by (x"),))
    assert "parse error" in check_rules([wrong])


def test_each_alert_has_its_runbook() -> None:
    written = {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"}
    assert {alert.runbook for alert in ALERTS} <= written


@pytest.mark.parametrize("alert", all_alerts(sandbox_groups(place())), ids=lambda a: a.name)
def test_a_runbook_is_about_its_alert_and_says_what_each_tier_shows(alert: Alert) -> None:
    text = (RUNBOOKS / f"{alert.runbook}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {alert.name}\n")
    assert {"## Look", "## Do", "## What each tier shows"} <= set(text.splitlines())
    assert "kubectl " in text or "corral " in text
    for link in re.findall(r"\]\(([a-z-]+\.md)\)", text):
        assert (RUNBOOKS / link).is_file()


def test_runbooks_are_linked_from_where_the_stack_says_they_are_read() -> None:
    documents = rule_documents(place(runbooks="https://git.example.org/corral/runbooks"))
    urls = {
        rule["annotations"]["runbook_url"]
        for document in documents
        for group in document["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    assert "https://git.example.org/corral/runbooks/sandbox-fork-bomb.md" in urls
    assert {u.rpartition("/")[0] for u in urls} == {"https://git.example.org/corral/runbooks"}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda a: f"{a.name}-{a.hold}")
def test_an_alert_says_what_it_is_what_it_means_and_what_to_do(alert: Alert) -> None:
    for said in (alert.summary, alert.description, alert.action):
        assert said
    assert alert.description.endswith(".")
    assert alert.action.endswith(".")
    assert not alert.summary.endswith(".")


def _firing() -> Iterator[tuple[str, frozenset[str]]]:
    for case in ALL:
        for check in case.checks:
            if isinstance(check, Fires) and check.labels:
                yield check.alert, frozenset(check.labels[0])


@pytest.mark.parametrize("alert", all_alerts(sandbox_groups(place())), ids=lambda a: a.name)
def test_an_alert_speaks_of_labels_that_it_has(alert: Alert) -> None:
    spoken = set(_LABEL.findall(alert.summary + alert.description + alert.action))
    (labels, *_) = [labels for name, labels in _firing() if name == alert.name]
    assert spoken <= labels | {"agent_class"}
    assert "tenant" in labels


def test_what_alerts_say_is_filled_in_as_prometheus_does() -> None:
    (case, *_) = [c for c in ALL if c.name.startswith("Above 80 %")]
    shown = shown_alerts(sandbox_groups(place()), case)
    assert "agents-acme/a1 is near its memory limit" in shown
    assert "uses 80.1% of its limit" in shown


@pytest.mark.parametrize("alert", all_alerts(sandbox_groups(place())), ids=lambda a: a.name)
def test_every_alert_is_seen_to_fire_and_to_be_silent(alert: Alert) -> None:
    checks = [c for case in ALL for c in case.checks if isinstance(c, Fires)]
    of_it = [bool(c.labels) for c in checks if c.alert == alert.name]
    assert True in of_it
    assert alert.name in ("SandboxQuarantined", "SandboxIdle", "QueueTooOld") or False in of_it


def test_the_documents_are_prometheus_rules_of_our_namespace() -> None:
    documents = prometheus_rules(GROUPS, runbooks="docs/runbooks")
    assert {d["kind"] for d in documents} == {"PrometheusRule"}
    assert {d["apiVersion"] for d in documents} == {"monitoring.coreos.com/v1"}
    assert {d["metadata"]["namespace"] for d in documents} == {"corral-observability"}
    names = [d["metadata"]["name"] for d in documents]
    assert len(set(names)) == len(names)


def test_no_alert_that_reads_guests_is_called_recorded() -> None:
    records = alerts_reference.recording_rules(GROUPS)
    for alert in ALERTS:
        read = alerts_reference.metrics_of(alert.expr, records)
        if any(each.source.name == "kata-monitor" for each in read):
            assert alerts_reference.provenance(alert, records) is Provenance.DERIVED


def test_the_committed_document_is_what_the_rules_say() -> None:
    made = alerts_reference.text(alerts_reference.shown_groups())
    assert alerts_reference.FILE.read_text(encoding="utf-8") == made, "run make reference"
