"""A confidential sandbox takes a slot of its node's processor, whether its pod asks for one or not.

The scheduler and the API server are real; the node is simulated, with two slots.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from components.isolation.node_labels import node_capacity, node_labels, node_taints
from components.isolation.runtime_class import runtime_class_document
from corral.embedded.cluster import EmbeddedCluster, SimulatedNode, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, ApiError
from corral.settings.pools import NodePool
from corral.settings.tiers import RUNTIMES, Tier
from tests.embedded.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

PODS = "/api/v1/namespaces/default/pods"
SLOTS = 2

COUNTED = [
    name
    for name, runtime in RUNTIMES.items()
    if runtime.tier == Tier.CONFIDENTIAL and runtime.extended_resources
]
"""Confidential runtimes whose hardware has a number of slots."""


def node(runtime: str) -> SimulatedNode:
    """A node that serves the runtime, with room for many more pods than it has slots."""
    pool = NodePool.model_validate(
        {
            **{"tier": "confidential", "runtimes": [runtime], "nodes": 1},
            **{"cpu": 62, "memory": "500Gi", "disk": "1800Gi"},
        }
    )
    slots = dict.fromkeys(RUNTIMES[runtime].extended_resources, str(SLOTS))
    return SimulatedNode(
        name=f"node-{runtime}",
        labels=node_labels(runtime, pool),
        taints=node_taints(pool),
        capacity={**node_capacity(pool), **slots},
        architecture=pool.architecture,
    )


@pytest.fixture(scope="module")
def api(
    control_plane_programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """A cluster with a node and the RuntimeClass of each, and nothing else."""
    assert control_plane_programs
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("confidential"), default_cache())
    try:
        cluster.start([node(runtime) for runtime in COUNTED], Silent())
        client = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        for runtime in COUNTED:
            client.create(
                "/apis/node.k8s.io/v1/runtimeclasses", runtime_class_document(RUNTIMES[runtime])
            )
        yield client
        client.close()
    finally:
        cluster.reset()


def pod(runtime: str, name: str, **spec: Any) -> dict[str, Any]:
    """A pod that asks for little and says nothing of slots."""
    container = {
        "name": "sandbox",
        "image": "registry.invalid/sandbox:1",
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"runtimeClassName": runtime, "containers": [container], **spec},
    }


def condition(api: Api, name: str) -> dict[str, Any]:
    """What the scheduler says of a pod; empty before it has said anything."""
    found = api.get(f"{PODS}/{name}").get("status", {}).get("conditions", [])
    return next((each for each in found if each["type"] == "PodScheduled"), {})


def placed(api: Api, name: str) -> bool:
    """Whether the pod has a node."""
    return condition(api, name).get("status") == "True"


def refused(api: Api, name: str) -> bool:
    """Whether the scheduler has found no node for the pod."""
    return condition(api, name).get("reason") == "Unschedulable"


@pytest.mark.parametrize("runtime", COUNTED)
def test_a_node_takes_as_many_as_it_has_slots_and_one_more_once_a_slot_is_free(
    api: Api, runtime: str
) -> None:
    (slot,) = RUNTIMES[runtime].extended_resources
    names = [f"{runtime}-{number}" for number in range(SLOTS + 1)]
    for name in names[:SLOTS]:
        created = api.create(PODS, pod(runtime, name))
        assert created["spec"]["overhead"][slot] == "1", "the RuntimeClass's part, not the pod's"
        assert eventually(partial(placed, api, name))
        assert api.get(f"{PODS}/{name}")["spec"]["nodeName"] == f"node-{runtime}"
    last = names[SLOTS]
    api.create(PODS, pod(runtime, last))
    assert eventually(partial(refused, api, last))
    assert f"Insufficient {slot}" in condition(api, last)["message"]
    api.delete(f"{PODS}/{names[0]}")
    assert eventually(partial(placed, api, last)), "the slot that was given up is given out again"


@pytest.mark.parametrize("runtime", COUNTED)
def test_a_pod_can_t_leave_its_slot_out_of_its_overhead(api: Api, runtime: str) -> None:
    with pytest.raises(ApiError) as raised:
        api.create(PODS, pod(runtime, "sly", overhead={"cpu": "1m"}))
    assert raised.value.status == 403
