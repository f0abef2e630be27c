"""RuntimeClasses, priorities and node labels agree with the one table of tiers."""

from __future__ import annotations

import pytest

from components.isolation.isolation import served_runtimes
from components.isolation.node_labels import node_capacity, node_labels, node_taints
from components.isolation.priority_class import priority_class_document
from components.isolation.runtime_class import runtime_class_document
from corral.settings.aws.pools import EksPool
from corral.settings.confidential import FORM_LABEL
from corral.settings.pools import NodePool
from corral.settings.tiers import KATA_NODE_LABELS, RUNTIMES, Runtime, Tier

ALL = sorted(RUNTIMES.values(), key=lambda runtime: runtime.name)
HIGHEST_USER_PRIORITY = 1_000_000_000


def pool(runtime: Runtime | None = None, **changes: object) -> NodePool:
    """A pool that serves the runtime, or the platform itself."""
    room: dict[str, object] = {"nodes": 1, "cpu": 8, "memory": "32Gi", "disk": "100Gi"}
    served = {"tier": str(runtime.tier), "runtimes": [runtime.name]} if runtime is not None else {}
    return NodePool.model_validate({**room, **served, **changes})


def named(runtime: Runtime) -> str:
    return runtime.name


# Handler, and overhead as kata-deploy 4.1.0 and our own allowance for gVisor have it.
EXPECTED: dict[str, tuple[str, dict[str, str] | None]] = {
    "container": ("runc", None),
    "gvisor": ("runsc", {"cpu": "100m", "memory": "64Mi"}),
    "kata-clh-runtime-rs": ("kata-clh-runtime-rs", {"cpu": "250m", "memory": "130Mi"}),
    "kata-qemu-runtime-rs": ("kata-qemu-runtime-rs", {"cpu": "250m", "memory": "320Mi"}),
    "kata-fc": ("kata-fc", {"cpu": "250m", "memory": "130Mi"}),
    "kata-qemu-snp": (
        "kata-qemu-snp",
        {"cpu": "1", "memory": "2Gi", "sev-snp.amd.com/esids": "1"},
    ),
    "kata-qemu-tdx": (
        "kata-qemu-tdx",
        {"cpu": "1", "memory": "2Gi", "tdx.intel.com/keys": "1"},
    ),
    "confidential-sandbox": ("confidential-sandbox", {"cpu": "250m", "memory": "130Mi"}),
    "kata-remote": (
        "kata-remote",
        {"cpu": "250m", "memory": "120Mi", "kata.peerpods.io/vm": "1"},
    ),
}


@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_a_runtime_class_has_the_handler_and_the_overhead_of_its_runtime(name: str) -> None:
    handler, overhead = EXPECTED[name]
    document = runtime_class_document(RUNTIMES[name])
    assert document["metadata"]["name"] == name
    assert document["handler"] == handler
    assert document.get("overhead", {}).get("podFixed") == overhead


@pytest.mark.parametrize("runtime", ALL, ids=named)
def test_a_pod_finds_the_nodes_of_a_pool_that_serves_its_runtime(runtime: Runtime) -> None:
    scheduling = runtime_class_document(runtime)["scheduling"]
    architecture = runtime.architectures[0]
    serving = pool(runtime, architecture=architecture)
    assert scheduling["nodeSelector"].items() <= node_labels("any", serving).items()
    tolerated = [
        {key: toleration[key] for key in ("key", "value", "effect")}
        for toleration in scheduling["tolerations"]
        if toleration["operator"] == "Equal"
    ]
    assert node_taints(serving) == tolerated, "tolerated is what keeps others off, and no more"


@pytest.mark.parametrize("runtime", ALL, ids=named)
def test_it_finds_no_node_of_another_tier(runtime: Runtime) -> None:
    selector = runtime_class_document(runtime)["scheduling"]["nodeSelector"]
    for other in RUNTIMES.values():
        if other.tier != runtime.tier:
            serving = pool(other, architecture=other.architectures[0])
            assert not selector.items() <= node_labels("any", serving).items(), other.name


def test_it_finds_no_node_of_a_pool_that_serves_another_runtime_of_its_tier() -> None:
    selector = runtime_class_document(RUNTIMES["kata-qemu-runtime-rs"])["scheduling"][
        "nodeSelector"
    ]
    other = pool(RUNTIMES["kata-clh-runtime-rs"])
    assert not selector.items() <= node_labels("other", other).items()


@pytest.mark.parametrize(
    "runtime", [runtime for runtime in ALL if runtime.name.startswith("kata-")], ids=named
)
def test_kata_runtime_classes_select_both_labels(runtime: Runtime) -> None:
    selector = runtime_class_document(runtime)["scheduling"]["nodeSelector"]
    assert KATA_NODE_LABELS.items() <= selector.items()
    assert len(KATA_NODE_LABELS) == 2


def test_a_runtime_for_one_architecture_finds_no_node_of_the_other() -> None:
    selector = runtime_class_document(RUNTIMES["kata-clh-runtime-rs"])["scheduling"]["nodeSelector"]
    arm = pool(RUNTIMES["kata-qemu-runtime-rs"], architecture="arm64")
    assert not selector.items() <= node_labels("arm", arm).items()


def test_nodes_of_the_platform_carry_no_tier() -> None:
    platform = pool()
    assert node_taints(platform) == []
    assert node_labels("system", platform) == {
        "corral.dev/pool": "system",
        "corral.dev/system": "true",
        "kubernetes.io/arch": "amd64",
    }


def test_a_node_offers_what_its_pool_says() -> None:
    assert node_capacity(pool(pods=50)) == {
        "cpu": "8",
        "memory": "32Gi",
        "ephemeral-storage": "100Gi",
        "pods": "50",
    }


def test_a_confidential_node_offers_a_slot_for_each_of_its_pods() -> None:
    capacity = node_capacity(pool(RUNTIMES["kata-qemu-snp"], pods=16))
    assert capacity["sev-snp.amd.com/esids"] == "16", "without any, pods would wait for ever"


@pytest.mark.parametrize(("machines", "form"), [("snp", "snp-node"), ("virtual", None)])
def test_a_node_of_encrypted_machines_says_its_form(machines: str, form: str | None) -> None:
    stated = {"tier": "gvisor", "machines": machines, "min-nodes": 1}
    assert node_labels("sealed", EksPool.model_validate(stated)).get(FORM_LABEL) == form


def test_there_is_a_runtime_class_for_what_pools_serve_and_for_nothing_else() -> None:
    pools = {
        "system": pool(),
        "virtual": pool(RUNTIMES["kata-fc"]),
        "trusted": pool(RUNTIMES["container"]),
        "more": pool(RUNTIMES["container"]),
    }
    assert [runtime.name for runtime in served_runtimes(pools)] == ["container", "kata-fc"]
    assert served_runtimes({"system": pool()}) == ()


def test_a_pool_may_serve_several_runtimes_of_its_tier() -> None:
    both = pool(tier="microvm", runtimes=["kata-clh-runtime-rs", "kata-fc"])
    assert node_labels("isolated", both)["runtime.corral.dev/kata-fc"] == "true"
    assert [runtime.tier for runtime in served_runtimes({"isolated": both})] == [Tier.MICROVM] * 2


@pytest.mark.parametrize(("priority", "value"), [(0, 1000), (100, 1100), (1000, 2000)])
def test_agents_have_priorities_above_nothing_and_far_below_the_system(
    priority: int, value: int
) -> None:
    document = priority_class_document("worker", priority)
    assert document["metadata"]["name"] == "agent-worker"
    assert document["value"] == value
    assert 0 < value < HIGHEST_USER_PRIORITY
    assert "globalDefault" not in document, "pods of others keep what they have"


def test_no_agent_is_evicted_for_another_one() -> None:
    assert priority_class_document("planner", 1000)["preemptionPolicy"] == "Never"
