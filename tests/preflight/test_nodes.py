"""Nodes of an existing cluster against what its stack file says of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from components.isolation.node_labels import POOL_LABEL, node_capacity, node_labels, node_taints
from corral.preflight.finding import Finding, Grade
from corral.preflight.nodes import look_at_nodes, major_minor, quantity
from corral.settings.loading import load_stack_file, stack_file
from corral.settings.tiers import UNVERIFIED_TAINT
from tests.project_copy import ROOT

LOCAL = load_stack_file(stack_file("local", ROOT))
METAL = load_stack_file(stack_file("metal-example", ROOT))
SERVER = "v1.36.3"


def nodes(settings: Any = LOCAL, **changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All nodes as the file says, with changes to those of a pool: labels, taints, info or
    allocatable (a value of None takes it away)."""
    found = []
    for name, pool in settings.pools.items():
        changed = changes.get(name, {})
        for number in range(changed.get("count", pool.nodes_at_first)):
            found.append(
                {
                    "metadata": {
                        "name": f"{name}-{number}",
                        "labels": merged(node_labels(name, pool), changed.get("labels", {})),
                    },
                    "spec": {"taints": changed.get("taints", node_taints(pool))},
                    "status": {
                        "nodeInfo": {
                            "kubeletVersion": "v1.36.1",
                            "kernelVersion": "6.18.41-94.142.amzn2023.x86_64",
                            "containerRuntimeVersion": "containerd://2.2.4",
                            **changed.get("info", {}),
                        },
                        "allocatable": merged(node_capacity(pool), changed.get("allocatable", {})),
                    },
                }
            )
    return found


def merged(given: Mapping[str, str], changed: Mapping[str, str | None]) -> dict[str, str]:
    both = {**given, **changed}
    return {key: value for key, value in both.items() if value is not None}


def warned(settings: Any = LOCAL, **changes: Mapping[str, Any]) -> list[Finding]:
    found = list(look_at_nodes(nodes(settings, **changes), SERVER, settings))
    assert not [one for one in found if one.grade is Grade.FAILURE]
    return [one for one in found if one.grade is Grade.WARNING]


@pytest.mark.parametrize("settings", [LOCAL, METAL])
def test_nodes_as_the_file_says_are_well(settings: Any) -> None:
    found = list(look_at_nodes(nodes(settings), SERVER, settings))
    assert {one.grade for one in found} == {Grade.OK}
    tiers = [pool for pool in settings.pools.values() if pool.tier is not None]
    assert len(found) == len(tiers)


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("trusted", {"count": 0}, "0 of 1 nodes carry corral.dev/tier=container"),
    (
        "isolated",
        {"labels": {"katacontainers.io/kata-runtime": None}},
        "can't be chosen for kata-clh-runtime-rs: katacontainers.io/kata-runtime missing",
    ),
    ("sealed", {"allocatable": {"sev-snp.amd.com/esids": None}}, "offer no sev-snp.amd.com/esids"),
    ("sealed", {"allocatable": {"sev-snp.amd.com/esids": "0"}}, "have less than"),
    ("sandboxed", {"taints": []}, "have no taint corral.dev/tier=gvisor:NoSchedule"),
    ("sandboxed", {"allocatable": {"cpu": "15900m"}}, "have less than 16 cpu"),
    ("sandboxed", {"allocatable": {"memory": "66060288Ki"}}, "have less than 64Gi memory"),
    ("sandboxed", {"allocatable": {"pods": "50"}}, "have less than 110 pods"),
    ("trusted", {"info": {"kernelVersion": "5.15.0"}}, "Linux of trusted-0 is older than 6.3"),
    (
        "trusted",
        {"info": {"containerRuntimeVersion": "containerd://1.7.27"}},
        "containerd of trusted-0 is older than 2.0",
    ),
    (
        "isolated",
        {"taints": [{"key": UNVERIFIED_TAINT, "effect": "NoSchedule"}]},
        "still have the taint corral.dev/runtime-unverified",
    ),
    ("system", {"info": {"kubeletVersion": "v1.37.0"}}, "kubelets of system-0 are v1.37.0"),
    ("system", {"info": {"kubeletVersion": "v1.32.9"}}, "kubelets of system-0 are v1.32.9"),
]


@pytest.mark.parametrize(("pool", "change", "said"), CASES)
def test_each_difference_is_a_warning_that_names_nodes_and_reason(
    pool: str, change: dict[str, Any], said: str
) -> None:
    found = [one for one in warned(**{pool: change}) if said in one.what]
    assert found, [one.what for one in warned(**{pool: change})]
    assert all(one.why and one.fix for one in found)


@pytest.mark.parametrize(
    "info",
    [
        {"kubeletVersion": "v1.33.0"},
        {"kubeletVersion": "kwok-v0.8.0"},
        {"containerRuntimeVersion": "cri-o://1.36.0"},
        {"containerRuntimeVersion": ""},
    ],
)
def test_what_is_within_the_skew_or_is_no_version_is_not_warned_of(info: dict[str, str]) -> None:
    assert not warned(trusted={"info": info})


def test_nodes_that_name_another_pool_of_the_tier_count_there() -> None:
    other = {POOL_LABEL: "another"}
    found = [one.what for one in warned(isolated={"labels": other})]
    assert any("0 of 2 nodes carry corral.dev/tier=microvm" in what for what in found)
    assert not warned(isolated={"labels": {POOL_LABEL: None}}), "no label: by the tier"


def test_figures_of_instance_types_are_corrected_by_us_and_not_in_the_file() -> None:
    staging = load_stack_file(stack_file("staging", ROOT))
    found = warned(staging, sandboxed={"allocatable": {"cpu": "1"}, "count": 1})
    [small] = [one for one in found if "have less than" in one.what]
    assert "report it" in small.fix


def test_a_runtime_that_needs_a_newer_kubernetes_is_warned_of_under_an_older_one() -> None:
    sealed = LOCAL.pools["sealed"].model_copy(update={"runtimes": ("confidential-sandbox",)})
    settings = LOCAL.model_copy(update={"pools": {**LOCAL.pools, "sealed": sealed}})
    there = nodes(settings, system={"info": {"kubeletVersion": "v1.34.0"}})

    def said(server: str) -> list[str]:
        return [one.what for one in look_at_nodes(there, server, settings)]

    needed = "pool sealed: confidential-sandbox needs Kubernetes 1.36"
    assert needed in said("v1.35.2")
    assert needed not in said("v1.36.3")


def test_old_kernels_matter_where_user_namespaces_are_used_alone() -> None:
    assert not warned(sandboxed={"info": {"kernelVersion": "5.15.0"}})


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("3920m", Decimal("3.92")),
        ("16", Decimal(16)),
        ("15Gi", Decimal(15 * 2**30)),
        ("7990784Ki", Decimal(7990784 * 1024)),
        ("94G", Decimal(94 * 10**9)),
        ("1e3", None),
        ("", None),
        ("plenty", None),
    ],
)
def test_quantities_are_read_as_kubelets_write_them(text: str, amount: Decimal | None) -> None:
    assert quantity(text) == amount


def test_versions_are_read_where_they_stand_first() -> None:
    assert major_minor("v1.36.3-eks-cb19647") == (1, 36)
    assert major_minor("kwok-v0.8.0") is None
