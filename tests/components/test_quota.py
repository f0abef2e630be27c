"""A tenant's quota has room for its agents, and for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from components.agents.sandbox_pod import sandbox_pod, workspace_claim
from components.documents import Document
from components.isolation.runtime_class import pod_overhead
from components.tenancy.quota import hard_limits, quota_documents
from corral.settings.classes import AgentClass
from corral.settings.tenants import Tenant
from tests.components.examples import agent_class, tenant, tenants_with_classes
from tests.components.quantities import number

COUNTED = ("cpu", "memory", "ephemeral-storage")


def usage(class_name: str, agent: AgentClass) -> dict[str, Decimal]:
    """What the API server counts for the class's pod: containers and overhead, requests and
    limits apart. (ResourceQuota's pod evaluator adds overhead to what a pod has limits for.)"""
    pod = sandbox_pod(tenant="t", class_name=class_name, agent_class=agent, image="i", name="p")
    overhead = pod_overhead(agent.served_by)
    found = {"pods": Decimal(1)}
    for kind in ("requests", "limits"):
        for name in COUNTED:
            asked = sum(
                number(container["resources"][kind][name])
                for container in pod["spec"]["containers"]
            )
            found[f"{kind}.{name}"] = asked + number(overhead.get(name, "0"))
    if agent.workspace is not None:
        spec = workspace_claim(tenant="t", agent_class=agent, name="p")["spec"]
        size = number(spec["resources"]["requests"]["storage"])
        for prefix in ("", f"{spec['storageClassName']}.storageclass.storage.k8s.io/"):
            found[f"{prefix}persistentvolumeclaims"] = Decimal(1)
            found[f"{prefix}requests.storage"] = size
    return found


def admits(
    documents: list[Document], agents: Mapping[str, int], classes: Mapping[str, AgentClass]
) -> bool:
    """Whether quotas let so many sandboxes of each class exist at once."""
    for document in documents:
        selected = counted_by(document["spec"])
        used: dict[str, Decimal] = {}
        for name, count in agents.items():
            if selected is None or f"agent-{name}" in selected:
                for key, amount in usage(name, classes[name]).items():
                    used[key] = used.get(key, Decimal(0)) + count * amount
        hard = document["spec"]["hard"]
        if any(amount > number(hard[key]) for key, amount in used.items() if key in hard):
            return False
    return True


def counted_by(spec: Mapping[str, Any]) -> list[str] | None:
    """The priorities of pods that a quota counts; None for all."""
    if "scopeSelector" not in spec:
        return None
    (expression,) = spec["scopeSelector"]["matchExpressions"]
    assert (expression["scopeName"], expression["operator"]) == ("PriorityClass", "In")
    return list(expression["values"])


@given(tenants_with_classes())
def test_it_admits_exactly_the_agents_that_were_promised(
    promised: tuple[Tenant, dict[str, AgentClass]],
) -> None:
    settings, classes = promised
    documents = quota_documents("acme", settings, classes)
    agents = dict(settings.agents)
    assert admits(documents, agents, classes)
    for name, count in settings.agents.items():
        assert not admits(documents, {**agents, name: count + 1}, classes)
        others = {other: 0 for other in agents if other != name}
        assert not admits(documents, {**others, name: count + 1}, classes), (
            "one more of a class was let in where the others left room"
        )


@given(tenants_with_classes())
def test_the_whole_promise_uses_the_whole_quota(
    promised: tuple[Tenant, dict[str, AgentClass]],
) -> None:
    settings, classes = promised
    hard = hard_limits(settings, classes)
    for key in ("pods", *(f"{kind}.{name}" for kind in ("requests", "limits") for name in COUNTED)):
        used = sum(
            count * usage(name, classes[name])[key] for name, count in settings.agents.items()
        )
        assert number(hard[key]) == used, key


def test_overhead_is_in_it() -> None:
    worker = agent_class(
        "kata-clh-runtime-rs",
        limits={"cpu": 2, "memory": "4Gi"},
        requests={"cpu": 1, "memory": "4Gi"},
    )
    hard = hard_limits(tenant(agents={"worker": 10}), {"worker": worker})
    assert hard["requests.cpu"] == "12500m", "10 sandboxes of 1 CPU and 250m overhead each"
    assert hard["limits.cpu"] == "22500m"
    assert hard["limits.memory"] == "42260Mi", "10 times 4096Mi + 130Mi"
    assert hard["requests.memory"] == "42260Mi", "a microVM takes its limit"
    assert hard["limits.ephemeral-storage"] == "100Gi"


def test_one_class_needs_one_quota() -> None:
    documents = quota_documents("acme", tenant(), {"worker": agent_class()})
    assert [document["metadata"]["name"] for document in documents] == ["corral-agents"]


@pytest.mark.parametrize(
    "resource",
    [
        "services.loadbalancers",
        "services.nodeports",
        "count/daemonsets.apps",
        "count/deployments.apps",
        "count/statefulsets.apps",
        "count/replicasets.apps",
        "count/replicationcontrollers",
        "count/jobs.batch",
        "count/cronjobs.batch",
    ],
)
def test_nothing_else_runs_in_a_tenant_s_namespace(resource: str) -> None:
    assert hard_limits(tenant(), {"worker": agent_class()})[resource] == "0"


def test_volumes_are_what_the_tenant_was_given() -> None:
    hard = hard_limits(tenant(volumes={"count": 2, "storage": "20Gi"}), {"worker": agent_class()})
    assert (hard["persistentvolumeclaims"], hard["requests.storage"]) == ("2", "20Gi")
    hard = hard_limits(tenant(), {"worker": agent_class()})
    assert (hard["persistentvolumeclaims"], hard["requests.storage"]) == ("0", "0")


def test_workspaces_and_volumes_are_counted_by_their_kind() -> None:
    classes = {
        "worker": agent_class(workspace={"kind": "local", "size": "20Gi"}),
        "planner": agent_class(workspace={"kind": "ebs", "size": "10Gi"}),
        "judge": agent_class(),
    }
    settings = tenant(
        agents={"worker": 3, "planner": 2, "judge": 5}, volumes={"count": 2, "storage": "50Gi"}
    )
    hard = hard_limits(settings, classes)
    assert (hard["persistentvolumeclaims"], hard["requests.storage"]) == ("7", "130Gi")
    of_class = "storageclass.storage.k8s.io"
    assert hard[f"corral-local.{of_class}/persistentvolumeclaims"] == "3"
    assert hard[f"corral-local.{of_class}/requests.storage"] == "60Gi"
    assert hard[f"corral-ebs.{of_class}/persistentvolumeclaims"] == "4"
    assert hard[f"corral-ebs.{of_class}/requests.storage"] == "70Gi"
    assert hard["count/volumesnapshots.snapshot.storage.k8s.io"] == "7"


def test_who_was_given_no_volume_claims_none_of_any_kind() -> None:
    hard = hard_limits(tenant(), {"worker": agent_class()})
    storage = {key: value for key, value in hard.items() if "storageclass" in key}
    assert len(storage) == 4
    assert set(storage.values()) == {"0"}
