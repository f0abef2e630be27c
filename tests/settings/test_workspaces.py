"""Workspaces: what a stack file may say of them, and what can't be kept where it says."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from corral.settings.aws.pools import EksPool
from corral.settings.aws.room import held, volumes_of
from corral.settings.loading import load_value
from corral.settings.problems import SettingsError
from corral.settings.stack import Settings

LOCAL = {"kind": "local", "size": "20Gi"}
EBS = {"kind": "ebs", "size": "20Gi"}

ON_EKS: dict[str, Any] = {
    "aws": {
        "account-id": "123456789012",
        "region": "eu-west-1",
        "network": {"kind": "new", "cidr": "10.40.0.0/16", "zones": ["a", "b"]},
    },
    "cluster": {"kind": "eks", "name": "agents"},
    "pools": {
        "system": {"machines": "virtual", "min-nodes": 2, "max-nodes": 4},
        "shared": {"tier": "gvisor", "machines": "virtual", "max-nodes": 4},
        "nested": {
            "tier": "microvm",
            "machines": "nested",
            "max-nodes": 4,
            "workspaces": {"kind": "volume", "size": "1Ti", "iops": 6000, "throughput": 500},
        },
    },
    "classes": {
        "planner": {"tier": "gvisor", "workspace": EBS},
        "worker": {"tier": "microvm", "workspace": LOCAL, "disk": "1Gi"},
    },
    "tenants": {
        "acme": {
            "tier": "gvisor",
            "agents": {"planner": 4, "worker": 4},
            "volumes": {"count": 2, "storage": "100Gi"},
        }
    },
}
EXISTING: dict[str, Any] = {
    "cluster": {"kind": "existing", "kubeconfig": "/kubeconfig", "context": "metal"},
    "pools": {
        "system": {"nodes": 1, "cpu": 4, "memory": "16Gi", "disk": "100Gi"},
        "metal": {
            "tier": "microvm",
            "runtimes": ["kata-clh-runtime-rs", "kata-fc"],
            "nodes": 2,
            "cpu": 32,
            "memory": "128Gi",
            "disk": "400Gi",
            "workspaces": "100Gi",
        },
    },
    "classes": {"worker": {"tier": "microvm", "workspace": LOCAL}},
    "tenants": {"acme": {"tier": "microvm", "agents": {"worker": 10}}},
}
EMBEDDED: dict[str, Any] = {
    "cluster": {"kind": "embedded"},
    "pools": {"shared": {"tier": "gvisor", "nodes": 1, "cpu": 8, "memory": "16Gi", "disk": "90Gi"}},
    "classes": {"worker": {"tier": "gvisor"}},
}

REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "a workspace on an embedded cluster": (
        EMBEDDED,
        {"classes.worker.workspace": LOCAL},
        "classes.worker.workspace.kind",
        "nothing makes volumes there",
    ),
    "room for workspaces on simulated nodes": (
        EMBEDDED,
        {"pools.shared.workspaces": "10Gi"},
        "pools.shared.workspaces",
        "left out on an embedded cluster",
    ),
    "EBS where there is no EBS": (
        EXISTING,
        {"classes.worker.workspace": EBS},
        "classes.worker.workspace.kind",
        "local on cluster kind existing",
    ),
    "a runtime that shares no files": (
        EXISTING,
        {"classes.worker.runtime": "kata-fc"},
        "classes.worker.workspace.kind",
        "share no file system with their host",
    ),
    "no room on the nodes of one's own": (
        EXISTING,
        {"pools.metal.workspaces": None},
        "classes.worker.workspace.kind",
        "none of metal has",
    ),
    "a workspace that is larger than the room for all of them": (
        EXISTING,
        {"classes.worker.workspace.size": "120Gi"},
        "classes.worker.workspace.size",
        "metal has 32 CPU, 128Gi memory, 400Gi disk, 100Gi workspaces",
    ),
    "more agents than workspaces": (
        EXISTING,
        {"tenants.acme.agents.worker": 11},
        "tenants.acme.agents.worker",
        "metal 5 on each of 2 nodes, by workspaces",
    ),
    "local on a pool that has no room": (
        ON_EKS,
        {"classes.planner.workspace": LOCAL},
        "classes.planner.workspace.kind",
        "none of shared has",
    ),
    "instance store on a type without": (
        ON_EKS,
        {"pools.nested.workspaces": {"kind": "instance-store"}},
        "pools.nested.workspaces.kind",
        "m8i.4xlarge has none",
    ),
    "a data volume that is too small": (
        ON_EKS,
        {"pools.nested.workspaces": {"kind": "volume", "size": "20Gi"}},
        "pools.nested.workspaces.size",
        "50Gi to 64Ti",
    ),
    "more operations than the volume's size gives": (
        ON_EKS,
        {"pools.nested.workspaces": {"kind": "volume", "size": "50Gi", "iops": 30000}},
        "pools.nested.workspaces.iops",
        "500 for each GiB of a gp3 volume: 25000",
    ),
    "more throughput than its operations carry": (
        ON_EKS,
        {"pools.nested.workspaces": {"kind": "volume", "size": "1Ti", "throughput": 1000}},
        "pools.nested.workspaces.throughput",
        "a quarter of iops: 750",
    ),
    "a data volume that nothing is kept on": (
        ON_EKS,
        {"classes.worker.workspace": None},
        "pools.nested.workspaces",
        "paid for nothing",
    ),
    "workspaces where no sandbox runs": (
        ON_EKS,
        {"pools.system.workspaces": {"kind": "volume", "size": "100Gi"}},
        "pools.system.workspaces",
        "no sandbox runs on this one",
    ),
    "a workspace that is too large": (
        ON_EKS,
        {"classes.worker.workspace.size": "300Gi"},
        "classes.worker.workspace.size",
        "1Gi to 200Gi",
    ),
    "a kind that there isn't": (
        ON_EKS,
        {"classes.worker.workspace.kind": "nfs"},
        "classes.worker.workspace.kind",
        "local",
    ),
    "a small disk without a workspace": (
        ON_EKS,
        {"classes.planner.workspace": None, "classes.planner.disk": "1Gi"},
        "classes.planner.disk",
        "5Gi to 20Gi",
    ),
    "more volumes than the nodes attach beside workspaces": (
        ON_EKS,
        {"tenants.acme.volumes": {"count": 230, "storage": "1Ti"}},
        "tenants.acme.volumes.count",
        "beside 4 workspaces",
    ),
    "more workspaces on EBS than the nodes attach": (
        ON_EKS,
        {
            "pools.shared.instances": ["m7i.8xlarge"],
            "pools.shared.volume": "2Ti",
            "tenants.acme.agents.planner": 130,
        },
        "tenants.acme.agents.planner",
        "by volumes",
    ),
}


def changed(good: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with these values; None takes one away."""
    value = deepcopy(good)
    for path, new in changes.items():
        *above, last = path.split(".")
        place = value
        for key in above:
            place = place[key]
        if new is None:
            del place[last]
        else:
            place[last] = new
    return value


def load(value: dict[str, Any]) -> Settings:
    return load_value(value, source="stacks/Pulumi.test.yaml")


@pytest.mark.parametrize("good", [ON_EKS, EXISTING, EMBEDDED])
def test_each_starting_point_is_accepted(good: dict[str, Any]) -> None:
    load(good)


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_kept_is_refused_with_its_place_and_reason(case: str) -> None:
    good, changes, where, rule = REFUSED[case]
    with pytest.raises(SettingsError) as caught:
        load(changed(good, changes))
    found = {problem.where: problem for problem in caught.value.problems}
    assert f"corral:settings.{where}" in found, list(found)
    problem = found[f"corral:settings.{where}"]
    assert rule in problem.rule
    assert problem.fix


def test_several_types_have_the_room_of_the_least() -> None:
    changes = {
        "pools.nested.workspaces": {"kind": "instance-store"},
        "pools.nested.machines": "metal",
        "pools.nested.instances": ["i4i.metal", "m6id.metal"],
    }
    pool = load(changed(ON_EKS, changes)).pools["nested"]
    assert isinstance(pool, EksPool)
    small = pool.workspaces_on(pool.instance_types[1])
    assert pool.workspace_room == small < pool.workspaces_on(pool.instance_types[0])
    assert pool.data_volumes == 0, "the instance's own disks take no attachment"


def test_the_plan_counts_workspaces() -> None:
    settings = load(ON_EKS)
    pools = {name: pool for name, pool in settings.pools.items() if isinstance(pool, EksPool)}
    rows = {row.agent: row for row in held(pools, settings.classes)}
    assert rows["worker"].density.by_limit["local-disk"] == 50
    assert rows["planner"].density.by_limit["volumes"] >= volumes_of(pools["shared"]) > 0
