"""Density: never above any of its limits, always one more would break the one that it names."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.settings.aws import density_reference
from corral.settings.aws.cidrs import PodNetwork
from corral.settings.aws.density import (
    Amounts,
    Density,
    attachable,
    density,
    interfaces,
    node_amounts,
    pool_density,
    pool_node,
    sandbox_amounts,
)
from corral.settings.aws.instances import Instance, instance, instances
from corral.settings.aws.pools import EksPool
from corral.settings.classes import AgentClass
from corral.settings.tiers import RUNTIMES

GIB = 2**30
TYPES = st.sampled_from(list(instances().values()))
NETWORKS = st.sampled_from(["vpc", "vpc-prefixes", "overlay"])
NAMES = [field.name for field in fields(Amounts)]


def agent(**values: Any) -> AgentClass:
    return AgentClass.model_validate({"tier": "microvm", **values})


def pool(**values: Any) -> EksPool:
    return EksPool.model_validate(
        {"tier": "microvm", "machines": "nested", "max-nodes": 3, "volume": "500Gi", **values}
    )


NEEDS = st.builds(
    Amounts,
    memory=st.integers(1, 10 * GIB),
    cpu=st.integers(1, 5000),
    pods=st.just(1),
    addresses=st.integers(0, 2),
    volumes=st.integers(0, 4),
    disk=st.integers(1, 30 * GIB),
    local_disk=st.integers(0, 100 * GIB),
    processes=st.integers(1, 70_000),
)


@given(NEEDS, TYPES, st.integers(20, 16_384), NETWORKS)
def test_density_exceeds_none_of_its_limits_and_names_one_that_it_reaches(
    need: Amounts, kind: Instance, gibibytes: int, network: PodNetwork
) -> None:
    node = node_amounts(kind, volume=gibibytes * GIB, network=network)
    found = density(need, node)
    for name in NAMES:
        assert found.sandboxes * getattr(need, name) <= getattr(node, name)
    name = found.binding.replace("-", "_")
    one_more = (found.sandboxes + 1) * getattr(need, name)
    assert one_more > getattr(node, name), "the named limit is really reached"
    assert found.sandboxes == min(found.by_limit.values())


@given(NEEDS, TYPES, NETWORKS, st.sampled_from(NAMES), st.integers(1, 1000))
def test_a_sandbox_that_needs_more_is_never_held_more_often(
    need: Amounts, kind: Instance, network: PodNetwork, name: str, more: int
) -> None:
    node = node_amounts(kind, volume=500 * GIB, network=network)
    larger = replace(need, **{name: getattr(need, name) + more})
    assert density(larger, node).sandboxes <= density(need, node).sandboxes


@given(TYPES, st.integers(0, 400), NETWORKS)
def test_a_node_never_has_less_than_nothing_nor_more_than_ec2_gives(
    kind: Instance, gibibytes: int, network: PodNetwork
) -> None:
    node = node_amounts(kind, volume=gibibytes * GIB, network=network)
    assert all(getattr(node, name) >= 0 for name in NAMES)
    assert node.memory < kind.memory
    assert node.cpu < kind.vcpus * 1000
    assert node.volumes < kind.attachments, "the root volume is one of them"


NODE = Amounts(
    memory=100,
    cpu=100,
    pods=100,
    addresses=100,
    volumes=100,
    disk=100,
    local_disk=100,
    processes=100,
)
ONE = Amounts(memory=1, cpu=1, volumes=1, disk=1, local_disk=1, processes=1)


@pytest.mark.parametrize("name", NAMES)
def test_each_limit_can_be_the_binding_one(name: str) -> None:
    found = density(replace(ONE, **{name: 10}), NODE)
    assert (found.sandboxes, found.binding) == (10, name.replace("_", "-"))


def test_what_a_sandbox_takes_nothing_of_is_no_limit() -> None:
    found = density(replace(ONE, volumes=0, local_disk=0), replace(NODE, volumes=0, local_disk=0))
    assert found.sandboxes == 100
    assert not {"volumes", "local-disk"} & set(found.by_limit)


def test_a_microvm_counts_with_its_limits_and_its_overhead() -> None:
    amounts = sandbox_amounts(agent())
    overhead = RUNTIMES["kata-clh-runtime-rs"].overhead_memory
    assert amounts.memory == 4 * GIB + overhead
    assert amounts.processes < 1024, "the guest's processes are no processes of the node"


def test_an_explicit_factor_shares_memory_out_more_than_once() -> None:
    shared = sandbox_amounts(agent(**{"memory-overcommit": 2.0}))
    assert shared.memory < sandbox_amounts(agent()).memory


def test_gvisor_counts_with_requests_and_its_processes_are_the_nodes() -> None:
    amounts = sandbox_amounts(agent(tier="gvisor", processes=2048))
    assert amounts.memory == GIB + RUNTIMES["gvisor"].overhead_memory
    assert amounts.processes == 64 + 2 * 2048


@pytest.mark.parametrize(
    ("kind", "volumes"), [("m7i.metal-24xl", 38), ("m8i.metal-48xl", 63), ("m8i.4xlarge", 31)]
)
def test_volumes_that_a_type_attaches_beside_its_root(kind: str, volumes: int) -> None:
    assert attachable(instance(kind), pods=110, network="vpc-prefixes") == volumes


def test_interfaces_take_the_place_of_volumes_where_they_share() -> None:
    kind = instance("m6i.4xlarge")  # 27 attachments beside its first interface, 8 interfaces of 30
    assert interfaces(kind, pods=110, network="vpc") == 5
    assert attachable(kind, pods=110, network="vpc") == 27 - 1 - 4
    assert attachable(kind, pods=110, network="overlay") == 26


def test_volumes_bind_a_large_host_long_before_memory() -> None:
    metal = pool(machines="metal", volume="4Ti")
    assert pool_density(metal, agent()).binding == "memory"
    with_volume = pool_density(metal, agent(), volumes=1)
    assert (with_volume.sandboxes, with_volume.binding) == (38, "volumes")


def test_a_workspace_on_its_node_needs_a_pool_that_has_room_for_it() -> None:
    worker = agent(workspace={"kind": "local", "size": "20Gi"})
    without = pool_density(pool(), worker)
    assert (without.sandboxes, without.binding) == (0, "local-disk")
    on_disks = pool(instances=["m8id.4xlarge"], workspaces={"kind": "instance-store"})
    assert pool_density(on_disks, worker).binding == "memory"
    assert pool_density(pool(instances=["m8id.4xlarge"]), worker).sandboxes == 0, (
        "disks that nobody asked for are no room"
    )


def test_a_data_volume_ends_before_its_size_and_takes_an_attachment() -> None:
    on_volume = pool(workspaces={"kind": "volume", "size": "100Gi"})
    worker = agent(workspace={"kind": "local", "size": "20Gi"})
    found = pool_density(on_volume, worker)
    assert (found.sandboxes, found.binding) == (4, "local-disk"), "LVM keeps a part of it"
    kind = on_volume.instance_types[0]
    plain = pool_node(pool(), kind).volumes
    assert pool_node(on_volume, kind).volumes == plain - 1
    assert attachable(kind, pods=110, network="vpc-prefixes") == plain


def test_a_workspace_on_ebs_takes_an_attachment_and_no_room() -> None:
    amounts = sandbox_amounts(agent(workspace={"kind": "ebs", "size": "20Gi"}), volumes=2)
    assert (amounts.volumes, amounts.local_disk) == (3, 0)


def test_a_pool_of_several_types_is_counted_by_the_least() -> None:
    both = pool_density(pool(instances=["m8i.8xlarge", "m8i.4xlarge"]), agent())
    assert both == pool_density(pool(instances=["m8i.4xlarge"]), agent())


def test_the_text_names_the_binding_limit_and_the_next() -> None:
    found = Density(sandboxes=14, binding="memory", by_limit={"memory": 14, "cpu": 22, "pods": 99})
    assert found.text() == "14, by memory (next: cpu, 22)"
    assert Density(sandboxes=3, binding="cpu", by_limit={"cpu": 3}).text() == "3, by cpu"


def test_the_committed_density_document_is_what_would_be_written() -> None:
    text = density_reference.FILE.read_text(encoding="utf-8")
    assert text == density_reference.text(), "run `make reference`"
