"""A pool that says nothing of how many nodes it may have gets what tenants may come to need."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.settings.aws.pools import EksPool
from corral.settings.aws.room import eks_pools, held
from corral.settings.loading import load_value
from corral.settings.stack import Settings

SYSTEM = {"machines": "virtual", "min-nodes": 2}
NESTED = {"tier": "microvm", "machines": "nested", "volume": "400Gi"}
METAL = {"tier": "microvm", "machines": "metal", "volume": "2Ti", "min-nodes": 2, "max-nodes": 2}


def stack(
    pools: dict[str, dict[str, Any]], zones: tuple[str, ...] = ("a", "b"), **agents: int
) -> Settings:
    """A stack with those pools, and one tenant with that many sandboxes of each class."""
    value = {
        "aws": {
            "account-id": "123456789012",
            "region": "eu-west-1",
            "network": {"kind": "new", "cidr": "10.40.0.0/16", "zones": list(zones)},
        },
        "cluster": {"kind": "eks", "name": "agents"},
        "pools": {"system": SYSTEM, **pools},
        "classes": {
            "worker": {"tier": "microvm"},
            "large": {"tier": "microvm", "limits": {"cpu": 4, "memory": "8Gi"}},
        },
        "tenants": {"acme": {"tier": "microvm", "agents": agents}} if agents else {},
    }
    return load_value(value, "test")


def pool_of(settings: Settings, name: str) -> EksPool:
    found = settings.pools[name]
    assert isinstance(found, EksPool)
    return found


def test_density_and_the_tenants_maxima_give_the_bound_and_one_node_is_for_replacements() -> None:
    burst = pool_of(stack({"burst": NESTED}, worker=100), "burst")
    # m8i.4xlarge holds 13 workers (docs/density.md).
    assert (burst.nodes, burst.base_nodes, burst.burst_nodes) == (8 + 1, 0, 9)


def test_what_is_always_there_in_other_pools_is_taken_off() -> None:
    alone = pool_of(stack({"burst": NESTED}, worker=200), "burst")
    beside = pool_of(stack({"metal": METAL, "burst": NESTED}, worker=200), "burst")
    assert beside.nodes < alone.nodes
    enough = stack({"metal": METAL, "burst": NESTED}, worker=20)
    assert pool_of(enough, "burst").nodes == 0, "the base holds all of it"


def test_every_pool_that_says_nothing_can_take_all_of_it() -> None:
    two = stack({"one": NESTED, "two": NESTED}, worker=100)
    assert pool_of(two, "one").nodes == pool_of(two, "two").nodes == 9


def test_a_number_in_the_file_is_the_number() -> None:
    assert pool_of(stack({"burst": NESTED | {"max-nodes": 40}}, worker=5), "burst").nodes == 40


def test_pools_that_nothing_grows_have_what_they_always_have() -> None:
    assert pool_of(stack({"burst": NESTED}, worker=1), "system").nodes == 2
    assert pool_of(stack({"burst": NESTED}, worker=1), "system").burst_nodes == 0


@pytest.mark.parametrize("zones", [("a", "b"), ("a", "b", "c")])
def test_a_gateway_has_one_node_in_each_zone(zones: tuple[str, ...]) -> None:
    gateway = {"purpose": "egress-gateway", "machines": "virtual"}
    found = pool_of(stack({"burst": NESTED, "out": gateway}, zones, worker=1), "out")
    assert (found.nodes, found.base_nodes, found.burst_nodes) == (len(zones), len(zones), 0)
    one = pool_of(stack({"burst": NESTED, "out": gateway | {"zones": ["b"]}}, zones), "out")
    assert one.nodes == 1


@given(
    worker=st.integers(1, 300),
    large=st.integers(1, 100),
    base=st.integers(0, 3),
)
def test_the_bound_holds_what_tenants_may_ask_for(worker: int, large: int, base: int) -> None:
    pools = {"burst": NESTED | {"min-nodes": base}}
    settings = stack(pools, worker=worker, large=large)
    rows = {row.agent: row for row in held(eks_pools(settings.pools), settings.classes)}
    asked = {"worker": worker, "large": large}
    nodes = sum(-(-count // rows[name].density.sandboxes) for name, count in asked.items())
    assert rows["worker"].nodes >= max(base, nodes)
    assert rows["worker"].nodes <= max(base, nodes + 1), "and not more: nodes cost money"


def test_the_plan_tells_what_is_always_there_what_may_come_and_why() -> None:
    settings = stack(
        {"metal": METAL, "burst": NESTED, "more": NESTED | {"max-nodes": 7}}, worker=200
    )
    rows = {row.pool: row for row in held(eks_pools(settings.pools), settings.classes)}
    bound = rows["burst"].nodes
    assert rows["metal"].cells()[4] == "2"
    assert rows["more"].cells()[4] == "0 to 7"
    assert rows["burst"].cells()[4] == f"0 to {bound}, for its tenants"
    told = rows["burst"].as_document()
    assert (told["baseNodes"], told["nodes"], told["fromTenants"]) == (0, bound, True)
