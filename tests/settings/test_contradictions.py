"""Settings that are each valid alone and can't be true together."""

from __future__ import annotations

from typing import Any

import pytest

from corral.settings.contradictions import contradictions
from corral.settings.loading import load_value
from corral.settings.problems import SettingsError
from corral.settings.tenants import NAMESPACE_PREFIX
from tests.settings.good import REMOVED, good
from tests.settings.test_wrong_values import Wrong, identity, refusal

WORKER = "classes.worker"
POOLS = "pools.virtual"

CONTRADICTIONS = [
    # pools: a runtime belongs to a tier and runs on an architecture
    Wrong(
        {"pools.system.runtimes": ["gvisor"]},
        "pools.system.runtimes[0]",
        "none, as it has no tier",
        "give it tier: gvisor",
        "gvisor",
    ),
    Wrong(
        {"pools.virtual.runtimes": ["kata-clh-runtime-rs", "gvisor"]},
        "pools.virtual.runtimes[1]",
        "those of tier microvm",
        "use kata-clh-runtime-rs or kata-qemu-runtime-rs or kata-fc",
    ),
    Wrong(
        {"pools.virtual.architecture": "arm64"},
        "pools.virtual.architecture",
        "kata-clh-runtime-rs runs on amd64 only",
        "set runtimes to what runs there: kata-qemu-runtime-rs",
        "arm64",
    ),
    Wrong(
        {"pools.sealed.architecture": "arm64"},
        "pools.sealed.architecture",
        "kata-qemu-snp runs on amd64 only",
        "nothing of tier confidential runs on arm64",
    ),
    # classes: bounds of one sandbox
    Wrong({f"{WORKER}.limits.cpu": 5}, f"{WORKER}.limits.cpu", "1 to 4", "choose 4", "5"),
    Wrong(
        {f"{WORKER}.limits.cpu": 0.9, f"{WORKER}.requests.cpu": 0.5},
        f"{WORKER}.limits.cpu",
        "1 to 4",
        "choose 1",
        "900m",
    ),
    Wrong(
        {f"{WORKER}.limits.memory": "9Gi"}, f"{WORKER}.limits.memory", "1Gi to 8Gi", "choose 8Gi"
    ),
    Wrong(
        {"classes.planner.limits.memory": "512Mi"},
        "classes.planner.limits.memory",
        "1Gi to 8Gi",
        "choose 1Gi",
        "512Mi",
    ),
    Wrong({f"{WORKER}.disk": "21Gi"}, f"{WORKER}.disk", "5Gi to 20Gi", "choose 20Gi", "21Gi"),
    Wrong({f"{WORKER}.disk": "1Gi"}, f"{WORKER}.disk", "5Gi to 20Gi", "choose 5Gi"),
    Wrong(
        {"classes.planner.requests.cpu": 3},
        "classes.planner.requests.cpu",
        "at most the limit, 2",
        "raise limits.cpu",
        "3",
    ),
    Wrong(
        {"classes.planner.requests.memory": "5Gi"},
        "classes.planner.requests.memory",
        "at most the limit, 4Gi",
        "lower it to 4Gi",
    ),
    # classes: runtimes and virtual machines
    Wrong(
        {"classes.planner.runtime": "kata-fc"},
        "classes.planner.runtime",
        "a runtime of the class's tier, gvisor: gvisor",
        "or set tier: microvm",
        "kata-fc",
    ),
    Wrong(
        {"classes.planner.memory-overcommit": 2},
        "classes.planner.memory-overcommit",
        "left out on tier gvisor",
        "lower requests.memory instead",
        "2",
    ),
    Wrong(
        {"classes.sealed.memory-overcommit": 2},
        "classes.sealed.memory-overcommit",
        "left out on tier confidential",
        "encrypted memory",
    ),
    Wrong(
        {f"{WORKER}.requests.memory": "2Gi"},
        f"{WORKER}.requests.memory",
        "4Gi: a virtual machine takes its memory limit divided by memory-overcommit",
        "write 4Gi",
        "2Gi",
    ),
    Wrong(
        {f"{WORKER}.memory-overcommit": REMOVED},
        f"{WORKER}.requests.memory",
        "8Gi: a virtual machine takes its memory limit",
        "or set memory-overcommit",
        "4Gi",
    ),
    Wrong(
        {"classes.sealed.requests": {"cpu": 1, "memory": "2Gi"}},
        "classes.sealed.requests.memory",
        "4Gi: a virtual machine takes its memory limit",
        "write 4Gi",
    ),
    # classes: somewhere to run
    Wrong(
        {"classes.sealed": {"tier": "container"}, "tenants.vault": REMOVED},
        "classes.sealed.tier",
        "a pool serves its runtime, container; none does",
        "add a pool with tier: container",
        "container",
    ),
    Wrong(
        {f"{WORKER}.runtime": "kata-fc"},
        f"{WORKER}.runtime",
        "a pool serves its runtime, kata-fc",
        "add kata-fc to the runtimes of virtual",
        "kata-fc",
    ),
    Wrong(
        {f"{WORKER}.processes": 4097},
        f"{WORKER}.processes",
        "virtual has 4096",
        "lower it to 4096, or raise processes of virtual",
        "4097",
    ),
    Wrong(
        {"pools.small": {"tier": "microvm", "nodes": 1, "cpu": 8, "memory": "32Gi", "disk": "1Ti"}},
        f"{WORKER}.processes",
        "small has 1024",
        "lower it to 1024, or raise processes of small",
    ),
    Wrong(
        {f"{POOLS}.cpu": 1.2, "tenants.acme.agents.worker": 1},
        f"{WORKER}.requests.cpu",
        "it needs 1250m CPU, 4226Mi memory, 10Gi disk; virtual has 1200m CPU",
        "lower requests.cpu, or use larger nodes in virtual",
        "1250m CPU",
    ),
    Wrong(
        {f"{POOLS}.memory": "4Gi"},
        f"{WORKER}.limits.memory",
        "virtual has 30 CPU, 4Gi memory",
        "lower limits.memory, or use larger nodes",
        "4226Mi memory",
    ),
    Wrong(
        {"pools.shared.memory": "1Gi"},
        "classes.planner.requests.memory",
        "it needs 600m CPU, 1088Mi memory",
        "lower requests.memory, or use larger nodes in shared",
    ),
    Wrong(
        {f"{POOLS}.disk": "9Gi"},
        f"{WORKER}.disk",
        "virtual has 30 CPU, 128Gi memory, 9Gi disk",
        "lower disk",
    ),
    # tenants
    Wrong(
        {"tenants.acme.agents": {"wroker": 1}},
        "tenants.acme.agents.wroker",
        "a class that the stack declares: planner, worker, sealed",
        "did you mean worker?",
    ),
    Wrong(
        {"tenants.acme.agents": {"zebra": 1}},
        "tenants.acme.agents.zebra",
        "a class that the stack declares",
        "declare classes.zebra",
    ),
    Wrong(
        {"tenants.acme.tier": "microvm"},
        "tenants.acme.agents.planner",
        "a class of the tenant's tier, microvm, or a stronger one",
        "use worker or sealed, or lower the tenant's tier to gvisor",
        "a class of tier gvisor",
    ),
    Wrong(
        {"tenants.acme.volumes": {"count": 3}},
        "tenants.acme.volumes.storage",
        "a count and the storage",
        "set volumes.storage",
        "nothing",
    ),
    Wrong(
        {"tenants.acme.volumes": {"storage": "3Gi"}},
        "tenants.acme.volumes.count",
        "a count and the storage",
        "set volumes.count",
        "nothing",
    ),
    Wrong(
        {"tenants.acme.volumes": {"count": 0, "storage": "3Gi"}},
        "tenants.acme.volumes.count",
        "a count and the storage",
        "leave both out",
        "0",
    ),
    Wrong(
        {"tenants.acme.agents.worker": 49},
        "tenants.acme.agents.worker",
        "at most the 48 that its pools can hold (virtual 24 on each of 2 nodes, by cpu)",
        "lower it to 48, or give virtual more or larger nodes",
        "49",
    ),
    Wrong(
        {"pools.shared.pods": 3, "tenants.acme.agents.planner": 7},
        "tenants.acme.agents.planner",
        "shared 3 on each of 2 nodes, by pods",
        "lower it to 6",
    ),
    Wrong(
        {
            "classes.reviewer": {"tier": "gvisor"},
            "tenants.acme.agents": {"planner": 30, "reviewer": 30},
        },
        "tenants.acme.agents",
        "they need 36 CPU of 31 CPU, 600Gi disk of 400Gi disk",
        "give shared more or larger nodes",
        "planner: 30, reviewer: 30",
    ),
    Wrong(
        {"tenants.admission-probe": {"tier": "gvisor", "agents": {"planner": 1}}},
        "tenants.admission-probe",
        "a name that corral doesn't use itself",
        "rename the tenant",
    ),
]


@pytest.mark.parametrize("wrong", CONTRADICTIONS, ids=identity)
def test_a_contradiction_is_told_with_its_path_its_rule_and_a_way_out(wrong: Wrong) -> None:
    error = refusal(good(wrong.edit))
    told = {problem.where: problem for problem in error.problems}
    assert list(told) == [f"corral:settings.{wrong.where}"], "one cause, one problem"
    (problem,) = told.values()
    assert wrong.rule in problem.rule
    assert wrong.fix in problem.fix
    assert wrong.found in problem.found


MICROVM = {"tier": "microvm", "nodes": 1, "cpu": 8, "memory": "32Gi", "disk": "1Ti"}
TWO_RUNTIMES = ["kata-clh-runtime-rs", "kata-fc"]
ARM = {**MICROVM, "runtimes": ["kata-qemu-runtime-rs"], "architecture": "arm64"}
TINY = {**MICROVM, "cpu": 1, "memory": "2Gi", "processes": 4096}

AGREEING: dict[str, dict[str, Any]] = {
    "pools that all tenants together overbook": {
        "tenants.other": {"tier": "microvm", "agents": {"worker": 48}}
    },
    "a tenant's agents that fill its pool to the last": {"tenants.acme.agents": {"worker": 48}},
    "a class on a stronger tier than its tenant": {"tenants.acme.agents": {"sealed": 1}},
    "classes of one priority": {"classes.worker.priority": 400},
    "a class that no tenant uses": {"classes.idle": {"tier": "microvm"}},
    "a stack without tenants": {"tenants": REMOVED},
    "a microVM whose requests say nothing of memory": {"classes.worker.requests": REMOVED},
    "no overcommit, said": {"classes.sealed.memory-overcommit": 1},
    "a pool of two runtimes of its tier": {"pools.virtual.runtimes": TWO_RUNTIMES},
    "QEMU on arm64": {"pools.arm": ARM},
    "a large sandbox that fits in one of two pools": {"pools.tiny": TINY},
    "no runtime, said": {"classes.planner.runtime": None, "pools.system.tier": None},
}


@pytest.mark.parametrize("edit", AGREEING.values(), ids=AGREEING)
def test_what_only_looks_like_a_contradiction_is_accepted(edit: dict[str, Any]) -> None:
    load_value(good(edit), "stacks/Pulumi.test.yaml")


def test_a_sandbox_must_fit_on_one_node_in_all_that_it_takes() -> None:
    """CPU on one pool and memory on another doesn't help it."""
    pool = {"tier": "microvm", "nodes": 9, "disk": "400Gi", "processes": 4096}
    error = refusal(
        good(
            {
                "pools.virtual": {**pool, "cpu": 1, "memory": "128Gi"},
                "pools.other": {**pool, "cpu": 30, "memory": "2Gi"},
            }
        )
    )
    assert [problem.where for problem in error.problems] == [
        "corral:settings.classes.worker.limits.memory"
    ]


def test_every_name_that_is_derived_from_settings_is_a_kubernetes_name() -> None:
    longest = "a" * 40
    value = good({f"tenants.{longest}": {"tier": "gvisor", "agents": {"planner": 1}}})
    assert longest in load_value(value, "here").tenants
    for derived in (f"{NAMESPACE_PREFIX}{longest}", f"agent-{longest}", f"{longest}-1000"):
        assert len(derived) <= 63
    with pytest.raises(SettingsError):
        load_value(good({f"classes.{longest}a": {"tier": "gvisor"}}), "here")


def test_good_settings_hold_no_contradiction() -> None:
    settings = load_value(good(), "here")
    assert not contradictions(
        pools=settings.pools, classes=settings.classes, tenants=settings.tenants
    )
