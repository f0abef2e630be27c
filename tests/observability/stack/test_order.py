"""What is registered, and after what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.documents import type_token
from components.observability.observability import BEFORE, NAMESPACES
from components.observability.stack.kata_monitor import kata_monitor_documents
from components.observability.stack.monitors import monitor_documents, targets
from components.observability.stack.policies import policy_documents
from components.observability.stack.secrets import secret_contents
from components.recording import Recorded
from corral.policy.check import judge_all
from corral.settings.observability import NODES_NAMESPACE
from corral.settings.stack import Settings
from tests.components.examples import LOCAL, registered
from tests.observability.stack.places import SECRETS, place, settings

OURS = ":Observability$"
CHART = "kubernetes:helm.sh/v4:Chart"
KINDS_OF_THE_CHART = "monitoring.coreos.com/"


@pytest.fixture(scope="module")
def resources() -> dict[str, Recorded]:
    return registered(settings())


def ours(resources: dict[str, Recorded]) -> list[Recorded]:
    return [each for each in resources.values() if OURS in each.urn]


def one(resources: dict[str, Recorded], kind: str, name: str) -> Recorded:
    (found,) = [each for each in ours(resources) if (each.type, each.name) == (kind, name)]
    return found


def test_objects_of_the_chart_s_kinds_come_after_the_chart(resources: dict[str, Recorded]) -> None:
    chart = one(resources, CHART, "kube-prometheus-stack")
    found = [each for each in ours(resources) if KINDS_OF_THE_CHART in each.type]
    assert found
    for each in found:
        assert chart.urn in each.dependencies, f"{each.name}: its kind may not be there yet"


def test_what_brings_a_monitor_of_its_own_comes_after_the_chart(
    resources: dict[str, Recorded],
) -> None:
    disks = one(resources, CHART, "k8s-ephemeral-storage-metrics")
    assert one(resources, CHART, "kube-prometheus-stack").urn in disks.dependencies


def test_nothing_runs_before_its_namespaces_policies_rights_and_secrets(
    resources: dict[str, Recorded],
) -> None:
    chart = one(resources, CHART, "kube-prometheus-stack")
    before = {each.name for each in ours(resources) if each.urn in chart.dependencies}
    where = place()
    for function in (*NAMESPACES, *BEFORE):
        for document in function(where):
            name = document["metadata"]["name"]
            assert any(each.rpartition("/")[2] == name for each in before), name
    assert {f"secret/{name}" for name in secret_contents(where.observability, SECRETS)} <= before


@pytest.mark.parametrize("named", [True, False], ids=["asked for", "left out"])
def test_it_is_there_where_a_stack_asks_for_it(named: bool) -> None:
    found: Settings = settings() if named else LOCAL
    assert bool(ours(registered(found))) == named


def test_our_own_objects_break_no_rule() -> None:
    where = place()
    functions = (
        *(*NAMESPACES, *BEFORE),
        *(kata_monitor_documents, monitor_documents),
    )
    plan = [
        {"urn": f"{token}::{name}", "type": token, "inputs": document}
        for function in functions
        for document in function(where)
        for token, name in [(type_token(document), document["metadata"]["name"])]
    ]
    assert [f"{found.urn} {found.message}" for found in judge_all(plan)] == []


def test_kata_monitor_is_where_microvms_are_and_reaches_nothing() -> None:
    (document,) = kata_monitor_documents(place())
    spec = document["spec"]["template"]["spec"]
    assert spec["nodeSelector"] == {"corral.dev/tier": "microvm"}
    assert spec["automountServiceAccountToken"] is False
    allowed = [
        each
        for each in policy_documents(place())
        if each["metadata"]["namespace"] == NODES_NAMESPACE and "egress" in each["spec"]
    ]
    assert not allowed, "it holds containerd's socket"


def test_without_microvms_there_is_no_kata_monitor() -> None:
    where = replace(place(), pools={"system": place().pools["system"]})
    assert not kata_monitor_documents(where)
    assert "kata-monitor" not in [target.job for target in targets(where)]
