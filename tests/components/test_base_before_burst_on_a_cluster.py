"""Of one tier's nodes, those that are paid for in any case fill before those that come and go.

The scheduler is real, the nodes are simulated: one of a pool's base, and one as Karpenter makes it,
much larger and empty, which a scheduler that spreads load would choose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from components.isolation.node_labels import node_labels, node_taints
from components.isolation.runtime_class import runtime_class_document
from components.scaling.node_pool import node_pool_document
from corral.embedded.cluster import EmbeddedCluster, SimulatedNode, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api
from corral.settings.aws.pools import EksPool
from corral.settings.tiers import RUNTIMES
from tests.embedded.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

PODS = "/api/v1/namespaces/default/pods"
RUNTIME = "gvisor"
BASE_HOLDS = 3

POOL = EksPool.model_validate(
    {"tier": "gvisor", "machines": "virtual", "min-nodes": 1, "max-nodes": 2}
)


def nodes() -> list[SimulatedNode]:
    """The base node with room for three sandboxes, and a burst node with room for all."""
    made = node_pool_document("sandboxed", POOL, hours=1, zones=["eu-west-1a"])
    taints = {"base": node_taints(POOL), "burst": made["spec"]["template"]["spec"]["taints"]}
    cpu = {"base": f"{BASE_HOLDS * 2}", "burst": "128"}
    return [
        SimulatedNode(
            name=name,
            labels=node_labels("sandboxed", POOL),
            taints=taints[name],
            capacity={"cpu": cpu[name], "memory": "512Gi", "pods": "110"},
            architecture=POOL.architecture,
        )
        for name in taints
    ]


@pytest.fixture(scope="module")
def api(
    control_plane_programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """A cluster with these two nodes and the RuntimeClass."""
    assert control_plane_programs
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("burst"), default_cache())
    try:
        cluster.start(nodes(), Silent())
        client = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        document = runtime_class_document(RUNTIMES[RUNTIME])
        client.create("/apis/node.k8s.io/v1/runtimeclasses", document)
        yield client
        client.close()
    finally:
        cluster.reset()


def sandbox(name: str) -> dict[str, Any]:
    """A pod of the runtime that takes less than two CPUs, its overhead included."""
    resources = {"requests": {"cpu": "1800m", "memory": "1Gi"}}
    container = {"name": "agent", "image": "registry.invalid/agent:1", "resources": resources}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"runtimeClassName": RUNTIME, "containers": [container]},
    }


def node_of(api: Api, name: str) -> str:
    """The node that a pod has; empty as long as it has none."""
    return str(api.get(f"{PODS}/{name}")["spec"].get("nodeName", ""))


def test_base_nodes_fill_first_and_burst_nodes_take_what_is_left(api: Api) -> None:
    placed = []
    for number in range(BASE_HOLDS + 2):
        name = f"sandbox-{number}"
        api.create(PODS, sandbox(name))
        assert eventually(partial(node_of, api, name))
        placed.append(node_of(api, name))
    assert placed == ["base"] * BASE_HOLDS + ["burst"] * 2
