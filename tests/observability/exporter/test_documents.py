"""The exporter's pod, its rights, and what it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.observability.exporter.cost import usd_per_hour
from components.observability.exporter.documents import exporter_documents, exporter_image
from components.observability.exporter.table import table_text
from components.observability.place import ObservabilityPlace, observability_place
from components.observability.stack.policies import policy_documents
from corral.settings.aws.pools import EksPool
from corral.settings.loading import load_stack_file, load_value, stack_file
from tests.observability.stack.places import place, settings
from tests.project_copy import ROOT
from warden.exporter.asking import PORT
from warden.exporter.table import parse_table

Documents = dict[str, list[dict[str, Any]]]


def by_kind(where: ObservabilityPlace) -> Documents:
    found: Documents = {}
    for document in exporter_documents(where):
        found.setdefault(document["kind"], []).append(document)
    return found


def shipped(stack: str) -> ObservabilityPlace:
    found = observability_place(load_stack_file(stack_file(stack, ROOT)))
    assert found is not None
    return found


def test_it_may_look_and_nothing_else() -> None:
    found = by_kind(place())
    for role in (*found["ClusterRole"], *found["Role"]):
        for rule in role["rules"]:
            assert set(rule["verbs"]) == {"list", "watch"}
            assert "secrets" not in rule["resources"]
            assert "*" not in (*rule["resources"], *rule["apiGroups"], *rule["verbs"])
    everywhere = [
        name for role in found["ClusterRole"] for r in role["rules"] for name in r["resources"]
    ]
    assert "configmaps" not in everywhere
    assert "events" not in everywhere


def test_each_right_is_bound_to_its_own_account() -> None:
    found = by_kind(place())
    for binding in (*found["ClusterRoleBinding"], *found["RoleBinding"]):
        (subject,) = binding["subjects"]
        assert (subject["name"], subject["namespace"]) == (
            "corral-exporter",
            "corral-observability",
        )


def test_it_reads_the_table_that_the_platform_writes() -> None:
    table = parse_table(table_text(place()))
    assert set(table.classes) == {"worker", "sealed"}
    assert table.tenants == {"acme": ("worker",), "records": ("sealed",)}
    assert table.classes["worker"].max_age == 24 * 3600
    assert table.classes["worker"].cost is None, "no prices outside of AWS"


def test_a_table_that_changed_starts_it_anew() -> None:
    def noted(where: ObservabilityPlace) -> str:
        (deployment,) = by_kind(where)["Deployment"]
        annotations = deployment["spec"]["template"]["metadata"]["annotations"]
        return str(annotations["corral.dev/table"])

    other = observability_place(settings().model_copy(update={"tenants": {}}))
    assert other is not None
    assert noted(place()) != noted(other)


def test_the_port_that_it_asks_by_is_the_one_that_policies_open() -> None:
    (deployment,) = by_kind(place())["Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert f"--agents-port={PORT}" in container["args"]
    (policy,) = (p for p in policy_documents(place()) if p["metadata"]["name"] == "corral-exporter")
    assert policy["spec"]["egress"][0]["ports"] == [{"protocol": "TCP", "port": PORT}]


def test_it_is_scraped_by_tls_with_room_for_all_sandboxes() -> None:
    (monitor,) = by_kind(place())["PodMonitor"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["scheme"] == "https"
    assert endpoint["honorLabels"] is True, "namespace and pod are the sandbox's"
    assert monitor["spec"]["sampleLimit"] >= 20_000 * 7


@pytest.mark.parametrize("stack", ["prod", "staging", "dev"])
def test_shipped_classes_have_a_price_below_their_node_s(stack: str) -> None:
    table = parse_table(table_text(shipped(stack)))
    for name, each in table.classes.items():
        if each.cost is not None:
            assert 0 < each.cost < 10, name
    assert any(each.cost is not None for each in table.classes.values())


def test_a_sandbox_costs_a_share_of_its_node_s_price() -> None:
    where = shipped("prod")
    agent = next(iter(where.classes.values()))
    pools = [pool for pool in where.pools.values() if isinstance(pool, EksPool)]
    types = {each.name for pool in pools for each in pool.instance_types}

    def cost(usd: float) -> float:
        own = dict.fromkeys(types, usd)
        found = usd_per_hour(agent, where.pools, region=where.region, own=own)
        assert found is not None
        return found

    assert 0 < cost(2.0) < 2
    assert cost(4.0) == pytest.approx(2 * cost(2.0), rel=1e-4), "prices are what it follows"


def test_its_image_is_its_own_or_the_control_plane_s() -> None:
    own = "registry.example.org/exporter:2"
    assert exporter_image(place(exporter=own)) == own
    assert exporter_image(place()) == "registry.example.org/control:1"


def test_a_stack_that_names_no_image_of_it_is_refused() -> None:
    value = {
        "cluster": {"kind": "existing", "kubeconfig": "/etc/kubeconfig", "context": "metal"},
        "pools": {
            "system": {"nodes": 3, "cpu": 8, "memory": "32Gi", "disk": "100Gi"},
            "p": {"tier": "microvm", "nodes": 1, "cpu": 8, "memory": "32Gi", "disk": "100Gi"},
        },
        "classes": {"worker": {"tier": "microvm"}},
        "tenants": {"acme": {"tier": "microvm", "agents": {"worker": 1}}},
        "observability": {"prometheus": {"storage-class": "encrypted"}},
    }
    with pytest.raises(Exception, match="images/control/Dockerfile") as refused:
        load_value(value, "test")
    assert "observability.exporter" in str(refused.value)
    value["observability"]["exporter"] = "registry.example.org/control:1"  # type: ignore[index]
    load_value(value, "test")


def test_the_table_is_one_line_of_json() -> None:
    json.loads(table_text(place()))
