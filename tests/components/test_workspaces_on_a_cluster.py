"""Where sandboxes with local workspaces land: on a real scheduler, by what nodes say is free.

Nodes are simulated. What TopoLVM would say of them (its driver, which nodes have it, and what is
free there) is written here by hand, as Kubernetes defines it for every driver.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from components.agents.sandbox_pod import sandbox_pod, workspace_claim
from components.agents.storage import storage_class_document
from components.agents.topolvm import DRIVER, NAMESPACE
from components.isolation.node_labels import node_capacity, node_labels, node_taints
from components.isolation.priority_class import priority_class_document
from components.isolation.runtime_class import runtime_class_document
from components.tenancy.namespace import tenant_namespace_document
from components.tenancy.service_accounts import service_account_document
from corral.embedded.cluster import EmbeddedCluster, SimulatedNode, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, Discovery
from corral.policy.parameters import SANDBOX_ACCOUNT
from corral.settings.pools import NodePool
from corral.settings.tiers import RUNTIMES, Tier
from tests.components.applying import apply
from tests.components.examples import agent_class
from tests.embedded.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

IMAGE = "registry.invalid/sandbox@sha256:" + "0" * 64
RUNTIME = "kata-clh-runtime-rs"
TOPOLOGY = "topology.topolvm.io/node"
FREE = {"full": "5Gi", "roomy": "60Gi"}
"""What is left of each node's thin pool."""
CLAIMS = "/api/v1/namespaces/agents-acme/persistentvolumeclaims"
PODS = "/api/v1/namespaces/agents-acme/pods"

POOL = NodePool.model_validate(
    {
        "tier": "microvm",
        "nodes": 2,
        "cpu": 32,
        "memory": "128Gi",
        "disk": "400Gi",
        "workspaces": "100Gi",
    }
)


def nodes() -> list[SimulatedNode]:
    return [
        SimulatedNode(
            name=name,
            labels={**node_labels("metal", POOL), TOPOLOGY: name},
            taints=node_taints(POOL),
            capacity=node_capacity(POOL),
        )
        for name in FREE
    ]


def grounds() -> Iterator[dict[str, Any]]:
    """A tenant's namespace, and what its sandboxes name."""
    yield tenant_namespace_document("acme", Tier.MICROVM)
    yield service_account_document(SANDBOX_ACCOUNT, namespace="agents-acme", annotations={})
    yield runtime_class_document(RUNTIMES[RUNTIME])
    yield priority_class_document("worker", 100)
    yield storage_class_document("local")


def told_by_the_driver() -> Iterator[dict[str, Any]]:
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    yield {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSIDriver",
        "metadata": {"name": DRIVER},
        "spec": {"storageCapacity": True, "attachRequired": False},
    }
    for name, free in FREE.items():
        yield {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "CSINode",
            "metadata": {"name": name},
            "spec": {"drivers": [{"name": DRIVER, "nodeID": name, "topologyKeys": [TOPOLOGY]}]},
        }
        yield {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "CSIStorageCapacity",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "storageClassName": "corral-local",
            "nodeTopology": {"matchLabels": {TOPOLOGY: name}},
            "capacity": free,
        }


@pytest.fixture(scope="module")
def api(
    control_plane_programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    assert control_plane_programs
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("workspaces"), default_cache())
    try:
        cluster.start(nodes(), Silent())
        client = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        discovery = Discovery(client)
        for document in (*grounds(), *told_by_the_driver()):
            apply(client, discovery, document)
        yield client
        client.close()
    finally:
        cluster.reset()


def start(api: Api, name: str, size: str) -> None:
    """A sandbox of that name with a workspace of that size."""
    agent = agent_class(RUNTIME, workspace={"kind": "local", "size": size})
    api.create(CLAIMS, workspace_claim(tenant="acme", agent_class=agent, name=name))
    api.create(
        PODS,
        sandbox_pod(tenant="acme", class_name="worker", agent_class=agent, image=IMAGE, name=name),
    )


def chosen(api: Api, name: str) -> str:
    """The node that the scheduler asks the driver to make the volume on."""
    annotations = api.get(f"{CLAIMS}/workspace-{name}")["metadata"].get("annotations", {})
    return str(annotations.get("volume.kubernetes.io/selected-node", ""))


def why_it_waits(api: Api, name: str) -> str:
    conditions = api.get(f"{PODS}/{name}")["status"].get("conditions", [])
    return " ".join(str(condition.get("message", "")) for condition in conditions)


def test_a_workspace_is_made_where_there_is_room_for_it(api: Api) -> None:
    for name in ("one", "two", "three"):
        start(api, name, "20Gi")
        assert eventually(partial(chosen, api, name))
        assert chosen(api, name) == "roomy", "the other one has 5Gi left"


def test_a_sandbox_whose_workspace_fits_nowhere_waits_and_says_so(api: Api) -> None:
    start(api, "large", "61Gi")
    assert eventually(lambda: "enough free storage" in why_it_waits(api, "large"))
    assert not chosen(api, "large")


def test_one_volume_is_for_one_sandbox(api: Api) -> None:
    claim = api.get(f"{CLAIMS}/workspace-one")
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    assert claim["spec"]["volumeMode"] == "Filesystem"
    assert claim["status"]["phase"] == "Pending", "made with its sandbox, never before"
