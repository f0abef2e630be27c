"""Each form of "confidential" is of its own kind; what mixes them is refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from corral.settings.aws.instances import SNP_REGIONS
from corral.settings.confidential import FORMS, form_of
from corral.settings.loading import load_value
from corral.settings.problems import Problem, SettingsError
from corral.settings.refused_runtimes import REFUSED_RUNTIMES
from corral.settings.stack import Settings
from corral.settings.tiers import RUNTIMES, Tier
from tests.settings.aws.test_contradictions import settings as on_eks
from tests.settings.good import good

OWN = {"nodes": 2, "cpu": 62, "memory": "500Gi", "disk": "1800Gi", "processes": 2048}


def own(runtime: str, **changes: Any) -> dict[str, Any]:
    """Edits of good settings: a pool and a class of a confidential runtime, and nothing else of
    that tier."""
    return {
        "pools.sealed": {"tier": "confidential", "runtimes": [runtime], **OWN, **changes},
        "classes.sealed": {"tier": "confidential", "runtime": runtime},
    }


def loaded(edits: dict[str, Any]) -> Settings:
    """Good settings of a cluster that is there, with these edits."""
    return load_value(good(edits), "stacks/Pulumi.test.yaml")


def refusal(edits: dict[str, Any], *, eks: bool = False) -> dict[str, Problem]:
    """What is said of these edits, by place."""
    with pytest.raises(SettingsError) as caught:
        if eks:
            on_eks(edits)
        else:
            loaded(edits)
    return {
        problem.where.removeprefix("corral:settings."): problem for problem in caught.value.problems
    }


CONFIDENTIAL = [name for name, runtime in RUNTIMES.items() if runtime.tier == Tier.CONFIDENTIAL]


@pytest.mark.parametrize("runtime", CONFIDENTIAL)
def test_every_confidential_runtime_is_of_one_form_and_served_by_a_cluster_that_is_there(
    runtime: str,
) -> None:
    assert [form.name for form in FORMS.values() if runtime in form.runtimes] == [
        getattr(form_of(None, runtime), "name", None)
    ]
    assert loaded(own(runtime)).pools["sealed"].served_runtimes == (runtime,)


@pytest.mark.parametrize("runtime", CONFIDENTIAL)
def test_none_of_them_is_on_nodes_that_corral_starts_on_ec2(runtime: str) -> None:
    edits = {"pools.nested.tier": "confidential", "pools.nested.runtimes": [runtime]}
    found = refusal(edits, eks=True)["pools.nested.tier"]
    assert "that corral's nodes on EC2 can serve" in found.rule
    assert len(found.rule.split("; ")) == 1, "the reason of what was asked for, and no other"
    assert "docs/confidential.md" in found.fix


def test_the_form_of_nodes_yields_a_label_and_the_others_a_runtime_class() -> None:
    for form in FORMS.values():
        assert bool(form.runtimes) != bool(form.node_label)
    node = form_of("snp", None)
    assert node is not None and node.types and node.regions == SNP_REGIONS
    assert form_of("metal", "gvisor") is None


@pytest.mark.parametrize("runtimes", [["kata-qemu-snp", "kata-qemu-tdx"], CONFIDENTIAL])
def test_a_pool_of_two_kinds_of_confidential_nodes_is_refused(runtimes: list[str]) -> None:
    edits = own("kata-qemu-snp") | {"pools.sealed": {"tier": "confidential", **OWN}}
    edits["pools.sealed"]["runtimes"] = runtimes
    assert "each wants nodes of its own kind" in refusal(edits)["pools.sealed.runtimes"].rule


def test_encrypted_nodes_beside_plain_ones_of_the_same_runtime_are_refused() -> None:
    edits = {"pools.sealed": {"tier": "gvisor", "machines": "snp", "min-nodes": 2}}
    found = refusal(edits, eks=True)["pools.sealed.machines"]
    assert "shared serves it too" in found.rule
    assert "machines: snp in shared" in found.fix


def test_encrypted_nodes_alone_or_of_another_runtime_are_no_contradiction() -> None:
    alone = {"pools.shared": {"tier": "gvisor", "machines": "snp", "min-nodes": 2}}
    assert on_eks(alone)
    assert on_eks({"pools.sealed": {"tier": "container", "machines": "snp", "min-nodes": 2}})


@pytest.mark.parametrize("asked", REFUSED_RUNTIMES)
def test_a_runtime_that_there_is_none_of_is_refused_with_the_state_of_the_field(asked: str) -> None:
    why, fix = REFUSED_RUNTIMES[asked]
    assert asked not in RUNTIMES
    for edits, where in (
        ({"classes.sealed.runtime": asked}, "classes.sealed.runtime"),
        ({"pools.sealed.runtimes": [asked.replace("-", "_").upper()]}, "pools.sealed.runtimes[0]"),
    ):
        found = refusal(edits)[where]
        assert why in found.rule
        assert found.fix == fix


@pytest.mark.parametrize("eks", [False, True])
def test_confidential_on_arm_is_refused_with_the_state_of_arm_cca(eks: bool) -> None:
    if eks:
        edits = {"pools.nested.tier": "confidential", "pools.nested.architecture": "arm64"}
        found = refusal(edits, eks=True)["pools.nested.tier"]
    else:
        found = refusal(own("kata-qemu-snp", architecture="arm64"))["pools.sealed.architecture"]
    assert "Arm CCA isn't to be had" in found.rule


def test_a_shell_in_sandboxes_that_refuse_every_shell_is_refused() -> None:
    edits = own("confidential-sandbox") | {
        "tenants.vault": {
            "tier": "confidential",
            "agents": {"sealed": 1},
            "orchestrator": {"exec": True},
        }
    }
    assert "refuses every exec" in refusal(edits)["tenants.vault.orchestrator.exec"].rule
    edits["tenants.vault"]["agents"]["worker"] = 1
    edits["tenants.vault"]["tier"] = "microvm"
    assert loaded(edits).tenants["vault"].orchestrator.exec


def test_memory_that_is_encrypted_is_not_shared_out_twice() -> None:
    edits = own("kata-qemu-snp")
    edits["classes.sealed"]["memory-overcommit"] = 2
    assert "classes.sealed.memory-overcommit" in refusal(edits)
