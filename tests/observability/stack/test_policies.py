"""What observes is closed, but for what it needs."""

from __future__ import annotations

from typing import Any

import pytest

from components.network.policies.places import NAMESPACE_NAME
from components.observability.stack.policies import policy_documents
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE
from tests.observability.stack.places import place


def policies(**changed: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (each["metadata"]["namespace"], each["metadata"]["name"]): each["spec"]
        for each in policy_documents(place(**changed))
    }


@pytest.mark.parametrize("namespace", [NAMESPACE, NODES_NAMESPACE])
def test_what_nothing_speaks_of_is_closed(namespace: str) -> None:
    spec = policies()[namespace, "corral-default-deny"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_nobody_reaches_grafana_unless_the_settings_say_so() -> None:
    assert "ingress" not in policies(grafana={})[NAMESPACE, "grafana"]
    (rule,) = policies()[NAMESPACE, "grafana"]["ingress"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: "ingress"}}}]
    assert rule["ports"] == [{"protocol": "TCP", "port": 3000}]


def test_no_grafana_no_policy() -> None:
    assert (NAMESPACE, "grafana") not in policies(grafana=None)


def ports_to_anywhere(spec: dict[str, Any]) -> set[int]:
    return {
        port["port"]
        for rule in spec.get("egress", ())
        for peer in rule["to"]
        if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
        for port in rule["ports"]
    }


def test_alertmanager_reaches_its_receivers_ports_and_namespaces_alone() -> None:
    spec = policies()[NAMESPACE, "alertmanager"]
    assert ports_to_anywhere(spec) == {443, 587}, "Slack and PagerDuty, and the mail server"
    named = [
        peer["namespaceSelector"]["matchLabels"][NAMESPACE_NAME]
        for rule in spec["egress"]
        for peer in rule["to"]
        if "namespaceSelector" in peer
    ]
    assert named == ["kube-system", "corral-system"], "names, and the responder"


def test_a_receiver_s_own_port_is_the_one_that_is_reached() -> None:
    only = {"kind": "webhook", "url": "https://desk.example.org:9443/alerts"}
    found = policies(alerts={"receivers": {"desk": only}, "default": "desk"})
    assert ports_to_anywhere(found[NAMESPACE, "alertmanager"]) == {9443}


def test_without_receivers_alertmanager_reaches_nothing_beyond_the_cluster() -> None:
    assert not ports_to_anywhere(policies(alerts=None)[NAMESPACE, "alertmanager"])


def test_prometheus_reaches_what_it_scrapes_and_where_it_writes() -> None:
    spec = policies()[NAMESPACE, "prometheus"]
    assert ports_to_anywhere(spec) == {10250, 9100, 8443}, "kubelets, nodes, the remote"
    named = {
        (peer["namespaceSelector"]["matchLabels"][NAMESPACE_NAME], port["port"])
        for rule in spec["egress"]
        for peer in rule["to"]
        if "namespaceSelector" in peer
        for port in rule["ports"]
    }
    ours = {("corral-egress", port) for port in (9902, 9153, 9811)}
    assert ours | {(NODES_NAMESPACE, 8090)} <= named


def test_nothing_reaches_the_metadata_of_instances() -> None:
    for spec in policies().values():
        for rule in spec.get("egress", ()):
            for peer in rule["to"]:
                block = peer.get("ipBlock")
                if block is not None and block["cidr"] == "0.0.0.0/0":
                    assert "169.254.0.0/16" in block["except"] or any(
                        each.startswith("169.254.169.254") for each in block["except"]
                    )


def test_no_rule_is_open_to_everybody() -> None:
    for (_, name), spec in policies().items():
        for rule in (*spec.get("egress", ()), *spec.get("ingress", ())):
            assert rule.get("to") or rule.get("from"), f"{name}: no peers means everybody"


def test_the_egress_lets_this_namespace_alone_read_figures() -> None:
    egress = place().egress
    assert egress is not None
    assert egress.beyond.metrics_readers == NAMESPACE
