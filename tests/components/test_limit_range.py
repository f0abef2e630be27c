"""Containers that ask for nothing get something sensible; none gets more than a class has."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from components.agents.sandbox_pod import sandbox_pod
from components.tenancy.limit_range import limit_range_document, memory_ratio
from corral.settings.classes import AgentClass
from corral.settings.tenants import Tenant
from tests.components.examples import agent_class, tenant, tenants_with_classes
from tests.components.quantities import number

KATA = "kata-clh-runtime-rs"


def limits(kind: str, settings: Tenant, **classes: AgentClass) -> dict[str, Any]:
    """The LimitRange's entry of that type."""
    entries = limit_range_document("acme", settings, classes)["spec"]["limits"]
    return next((dict(entry) for entry in entries if entry["type"] == kind), {})


def test_a_container_that_says_nothing_gets_the_defaults() -> None:
    large = agent_class(limits={"cpu": 4, "memory": "8Gi"}, disk="20Gi")
    entry = limits("Container", tenant(), worker=large)
    assert entry["default"] == {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "10Gi"}
    assert entry["defaultRequest"] == {
        "cpu": "500m",
        "memory": "1Gi",
        "ephemeral-storage": "10Gi",
    }, "disk is set aside in full: it has no hard end while a sandbox fills it"


def test_defaults_of_a_small_class_end_at_its_limits() -> None:
    small = agent_class(limits={"cpu": 1, "memory": "1Gi"}, disk="5Gi")
    entry = limits("Container", tenant(), worker=small)
    assert entry["default"] == {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "5Gi"}
    assert entry["defaultRequest"]["memory"] == "1Gi"


def test_the_largest_class_is_the_most_for_a_container_and_for_a_pod() -> None:
    classes = {
        "worker": agent_class(limits={"cpu": 4, "memory": "2Gi"}, disk="5Gi"),
        "judge": agent_class(limits={"cpu": 1, "memory": "8Gi"}, disk="20Gi"),
    }
    settings = tenant(agents={"worker": 1, "judge": 1})
    most = {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "20Gi"}
    assert limits("Container", settings, **classes)["max"] == most
    assert limits("Pod", settings, **classes)["max"] == most


def test_a_microvm_s_memory_request_is_its_limit() -> None:
    entry = limits("Container", tenant(), worker=agent_class(KATA))
    assert entry["maxLimitRequestRatio"] == {"memory": "1"}
    assert entry["defaultRequest"]["memory"] == entry["default"]["memory"] == "4Gi"


def test_overcommit_is_allowed_as_far_as_the_class_asks_for_it() -> None:
    worker = agent_class(KATA, **{"memory-overcommit": 2.0})
    entry = limits("Container", tenant(), worker=worker)
    assert entry["maxLimitRequestRatio"] == {"memory": "2"}
    assert entry["defaultRequest"]["memory"] == "2Gi"


def test_no_ratio_where_some_class_shares_memory_out_as_it_is_used() -> None:
    settings = tenant(agents={"worker": 1, "planner": 1})
    classes = {"worker": agent_class(KATA), "planner": agent_class("gvisor")}
    assert "maxLimitRequestRatio" not in limits("Container", settings, **classes)


def test_volumes_have_a_most_only_where_there_may_be_volumes() -> None:
    assert limits("PersistentVolumeClaim", tenant(), worker=agent_class()) == {}
    settings = tenant(volumes={"count": 2, "storage": "20Gi"})
    entry = limits("PersistentVolumeClaim", settings, worker=agent_class())
    assert (entry["min"], entry["max"]) == ({"storage": "1Gi"}, {"storage": "20Gi"})


@given(tenants_with_classes())
def test_what_it_fills_in_is_within_what_it_allows(
    promised: tuple[Tenant, dict[str, AgentClass]],
) -> None:
    settings, classes = promised
    entry = limits("Container", settings, **classes)
    for name in ("cpu", "memory", "ephemeral-storage"):
        default, request = number(entry["default"][name]), number(entry["defaultRequest"][name])
        assert number(entry["min"].get(name, "0")) <= request <= default
        assert default <= number(entry["max"][name])
    ratio = entry.get("maxLimitRequestRatio", {}).get("memory")
    if ratio is not None:
        assert number(entry["default"]["memory"]) <= number(ratio) * number(
            entry["defaultRequest"]["memory"]
        )


@given(tenants_with_classes())
def test_every_sandbox_of_the_tenant_is_within_it(
    promised: tuple[Tenant, dict[str, AgentClass]],
) -> None:
    settings, classes = promised
    entry = limits("Container", settings, **classes)
    for name, agent in classes.items():
        pod = sandbox_pod(tenant="t", class_name=name, agent_class=agent, image="i", name="p")
        (container,) = pod["spec"]["containers"]
        asked = container["resources"]
        for key, most in entry["max"].items():
            assert number(asked["limits"][key]) <= number(most)
        for key, least in entry["min"].items():
            assert number(asked["requests"][key]) >= number(least)
        ratio = entry.get("maxLimitRequestRatio", {}).get("memory")
        if ratio is not None:
            assert number(asked["limits"]["memory"]) <= number(ratio) * number(
                asked["requests"]["memory"]
            )


def test_the_ratio_is_rounded_up_to_what_the_class_s_own_sandbox_has() -> None:
    odd = agent_class(KATA, **{"memory-overcommit": 1.5})
    ratio = memory_ratio([odd])
    assert ratio is not None
    assert odd.limits.memory * 1000 <= ratio * odd.requested_memory


def test_a_volume_is_at_most_the_largest_workspace_or_what_the_tenant_was_given() -> None:
    worker = agent_class(workspace={"kind": "local", "size": "40Gi"})
    entry = limits("PersistentVolumeClaim", tenant(), worker=worker)
    assert (entry["max"], entry["min"]) == ({"storage": "40Gi"}, {"storage": "1Gi"})
    given = tenant(volumes={"count": 2, "storage": "100Gi"})
    assert limits("PersistentVolumeClaim", given, worker=worker)["max"] == {"storage": "100Gi"}
