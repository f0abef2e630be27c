"""Each shipped stack on AWS, created whole in moto with real identifiers flowing on, and walked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cloud.adapters import ADAPTERS
from tests.cloud.conftest import TABLES
from tests.cloud.executor import proof_table
from tests.cloud.provider_schema import misplaced
from tests.cloud.running import World
from tests.cloud.shapes import SHAPES
from tests.cloud.stacks import shipped, standing
from tests.cloud.walk import findings

SHIPPED = shipped()


@pytest.fixture(scope="module", params=SHIPPED)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    stack = request.param
    with standing(tmp_path_factory.mktemp(stack), stack, SHIPPED[stack]) as found:
        request.config.stash[TABLES][stack] = proof_table(found.executor.created)
        yield found


def test_the_whole_stack_is_created(world: World) -> None:
    assert world.result.complete, world.explained()
    assert len(world.executor.of("aws:eks/cluster:Cluster")) == 1


def test_every_input_is_one_that_the_provider_has(world: World) -> None:
    for one in world.executor.created:
        assert misplaced(one.type, one.inputs) == [], one.urn


def test_the_walk_finds_nothing_wrong(world: World) -> None:
    assert findings(world) == {}


def test_its_addresses_are_those_that_stand_there(world: World) -> None:
    addresses = world.account.client("ec2").describe_addresses()["Addresses"]
    assert sorted(world.result.outputs["egressAddresses"]) == sorted(
        one["PublicIp"] for one in addresses
    )


def test_nodes_that_start_have_the_stack_s_tags_and_no_public_address(world: World) -> None:
    described = world.account.client("ec2").describe_instances()["Reservations"]
    instances = [one for group in described for one in group["Instances"]]
    least = sum(one.inputs["minSize"] for one in world.executor.of("aws:autoscaling/group:Group"))
    assert len(instances) == least > 0
    [cluster] = [one.id for one in world.executor.of("aws:eks/cluster:Cluster")]
    for one in instances:
        tags = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
        assert world.account.default_tags.items() <= tags.items()
        assert not one.get("PublicIpAddress")
        assert f"corral.dev/base-of/{cluster}" in tags, "the drainer looks at no others"


def test_what_moto_creates_and_what_it_lacks_are_told_apart() -> None:
    assert ADAPTERS.keys().isdisjoint(SHAPES), "a type is proven, or it isn't"
