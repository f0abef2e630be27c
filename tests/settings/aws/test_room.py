"""What the nodes of a stack hold, and maxima that they never reach."""

from __future__ import annotations

from typing import Any

import pytest

from corral.settings.aws.room import eks_pools, held, room_contradictions
from corral.settings.loading import load_value
from corral.settings.problems import Problem, SettingsError
from corral.settings.stack import Settings


def settings(**tenant: Any) -> dict[str, Any]:
    return {
        "aws": {
            "account-id": "123456789012",
            "region": "eu-west-1",
            "network": {"kind": "new", "cidr": "10.40.0.0/16", "zones": ["a", "b"]},
        },
        "cluster": {"kind": "eks", "name": "agents"},
        "pools": {
            "system": {"machines": "virtual", "min-nodes": 2, "max-nodes": 4},
            "shared": {"tier": "gvisor", "machines": "virtual", "max-nodes": 2, "volume": "1Ti"},
        },
        "classes": {"worker": {"tier": "gvisor"}},
        "tenants": {"acme": {"tier": "gvisor", "agents": {"worker": 1}, **tenant}},
    }


def problems(value: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(SettingsError) as refused:
        load_value(value, "stacks/Pulumi.test.yaml")
    return refused.value.problems


def loaded(value: dict[str, Any]) -> Settings:
    return load_value(value, "stacks/Pulumi.test.yaml")


def test_every_class_is_told_for_every_pool_that_serves_it() -> None:
    found = loaded(settings())
    (row,) = held(eks_pools(found.pools), found.classes)
    assert (row.pool, row.agent, row.instance, row.nodes) == ("shared", "worker", "m7i.2xlarge", 2)
    assert row.most == 2 * row.density.sandboxes
    assert row.as_document()["binding"] == row.density.binding
    assert row.cells()[:3] == ("shared", "worker", "m7i.2xlarge")


def test_a_tenant_may_have_as_many_as_its_nodes_hold_and_not_one_more() -> None:
    found = loaded(settings())
    (row,) = held(eks_pools(found.pools), found.classes)
    loaded(settings(agents={"worker": row.most}))
    (problem,) = problems(settings(agents={"worker": row.most + 1}))
    assert problem.where == "corral:settings.tenants.acme.agents.worker"
    assert f"at most the {row.most} that its pools can hold" in problem.rule
    assert row.density.binding in problem.rule


def test_processes_bind_where_nothing_else_does() -> None:
    value = settings(agents={"worker": 12})
    value["pools"]["shared"]["processes"] = value["classes"]["worker"]["processes"] = 65536
    (problem,) = problems(value)
    assert "by processes" in problem.rule


def test_volumes_are_at_most_what_nodes_attach() -> None:
    loaded(settings(volumes={"count": 48, "storage": "960Gi"}))
    (problem,) = problems(settings(volumes={"count": 5000, "storage": "960Gi"}))
    assert problem.where == "corral:settings.tenants.acme.volumes.count"
    assert "volumes that its nodes attach at once (shared " in problem.rule
    assert "types that attach more" in problem.fix


def test_local_disk_never_binds_where_karpenter_adds_nodes() -> None:
    value = settings()
    value["pools"]["shared"]["workspaces"] = {"kind": "volume", "size": "100Gi"}
    value["classes"]["worker"] |= {"disk": "1Gi", "workspace": {"kind": "local", "size": "40Gi"}}
    (problem,) = problems(value)
    assert problem.where == "corral:settings.classes.worker.workspace.size"
    assert "would never start the next node" in problem.rule
    value["pools"]["shared"]["min-nodes"] = 2
    assert loaded(value), "a fixed pool is filled up, and that is all"
    value["pools"]["shared"] |= {"min-nodes": 0, "workspaces": {"kind": "volume", "size": "2Ti"}}
    assert loaded(value), "there, CPU binds"


def test_a_class_that_no_pool_on_eks_serves_is_not_judged_here() -> None:
    found = loaded(settings())
    assert not [*room_contradictions({}, found.classes, found.tenants)]
