"""A drain waits for sandboxes whose work can't be started again, and for no others.

API server and disruption controller are real; the node is simulated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from components.tenancy.disruption import disruption_budget_document
from components.tenancy.namespace import tenant_namespace
from corral.embedded.cluster import EmbeddedCluster, SimulatedNode, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, ApiError
from corral.kubernetes.retries import Retries
from corral.policy.steering import CLASS_LABEL
from corral.settings.classes import AgentClass
from corral.settings.tenants import RUNNING_AGENTS, Tenant
from tests.embedded.cluster.waiting import eventually

TENANT = Tenant.model_validate(
    {"tier": "gvisor", "agents": {"worker": 4, "planner": 2, "judge": 9}}
)
CLASSES = {
    "worker": AgentClass.model_validate({"tier": "gvisor"}),
    "planner": AgentClass.model_validate({"tier": "gvisor"}),
    "judge": AgentClass.model_validate({"tier": "gvisor", "restartable": True}),
}
TOO_MANY_REQUESTS = 429
NAMESPACE = tenant_namespace("acme")
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
BUDGETS = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets"


def budget() -> dict[str, Any]:
    found = disruption_budget_document("acme", TENANT, CLASSES)
    assert found is not None
    return found


def test_as_many_stay_as_there_can_be_of_classes_that_are_not_restartable() -> None:
    spec = budget()["spec"]
    assert spec["minAvailable"] == 4 + 2
    [selected] = spec["selector"]["matchExpressions"]
    assert selected == {"key": CLASS_LABEL, "operator": "In", "values": ["planner", "worker"]}


def test_tenants_of_restartable_classes_alone_hold_nothing_up() -> None:
    judges = Tenant.model_validate({"tier": "gvisor", "agents": {"judge": 3}})
    assert disruption_budget_document("acme", judges, CLASSES) is None


@pytest.fixture(scope="module")
def api(
    control_plane_programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """A cluster with one node, and a sandbox of each class that runs on it."""
    assert control_plane_programs
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("disruption"), default_cache())
    node = SimulatedNode(
        name="node",
        labels={},
        taints=[],
        capacity={"cpu": "8", "memory": "16Gi", "pods": "20", "ephemeral-storage": "50Gi"},
        architecture="amd64",
    )
    try:
        cluster.start([node], Silent())
        access = Access(kubeconfig=cluster.kubeconfig, context="corral")
        # An eviction that is refused is to be tried again later: here, once is enough.
        client = Api.connect(access, retries=Retries(bound=0.0))
        client.create(
            "/api/v1/namespaces",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        )
        client.create(BUDGETS, budget())
        accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
        assert eventually(partial(there, client, accounts))
        for name in CLASSES:
            client.create(PODS, sandbox(name))
        for name in CLASSES:
            assert eventually(partial(ready, client, name)), name
        assert eventually(partial(counted, client))
        yield client
        client.close()
    finally:
        cluster.reset()


def sandbox(agent: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": agent, "labels": {CLASS_LABEL: agent}},
        "spec": {"containers": [{"name": "sandbox", "image": "registry.invalid/sandbox:1"}]},
    }


def there(client: Api, path: str) -> bool:
    try:
        return bool(client.get(path))
    except ApiError:
        return False


def ready(client: Api, name: str) -> bool:
    conditions = client.get(f"{PODS}/{name}").get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def counted(client: Api) -> bool:
    status = client.get(f"{BUDGETS}/{RUNNING_AGENTS}").get("status", {})
    return bool(status.get("currentHealthy") == len(["worker", "planner"]))


def evict(client: Api, name: str) -> None:
    """As every drain does it: Karpenter's, the termination handler's, and kubectl's."""
    client.create(
        f"{PODS}/{name}/eviction",
        {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": NAMESPACE},
        },
    )


@pytest.mark.cluster
@pytest.mark.parametrize("name", ["worker", "planner"])
def test_a_drain_evicts_no_sandbox_whose_work_would_be_lost(api: Api, name: str) -> None:
    with pytest.raises(ApiError, match="disruption budget") as refused:
        evict(api, name)
    assert refused.value.status == TOO_MANY_REQUESTS
    assert ready(api, name)


@pytest.mark.cluster
def test_a_drain_evicts_sandboxes_that_can_be_started_again(api: Api) -> None:
    evict(api, "judge")


@pytest.mark.cluster
def test_who_ends_a_sandbox_can(api: Api) -> None:
    api.delete(f"{PODS}/worker")
