"""Kubernetes and add-ons as EKS has them. moto has neither: answers are of botocore's shape."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from corral.preflight.aws import versions
from corral.preflight.finding import Finding, Grade
from tests.preflight.account import Answers, refusal
from tests.preflight.conftest import Grounds

NOW = datetime.now(UTC)


def eks(
    *,
    status: str = "STANDARD_SUPPORT",
    days: int = 400,
    version: str = "1.36",
    builds: tuple[str, ...] = ("v1-eksbuild.1", "v1-eksbuild.2"),
    standing: str = "",
) -> Answers:
    known = {
        "clusterVersion": version,
        "versionStatus": status,
        "endOfStandardSupportDate": NOW + timedelta(days=days),
    }
    addons = [{"addonName": "vpc-cni", "addonVersions": [{"addonVersion": b} for b in builds]}]
    absent = refusal("eks", "describe_cluster", "ResourceNotFoundException")
    there: Any = {"cluster": {"name": "corral-dev", "version": standing}} if standing else absent
    return {
        ("eks", "describe_cluster_versions"): {"clusterVersions": [known]},
        ("eks", "describe_addon_versions"): {"addons": addons},
        ("eks", "describe_cluster"): there,
    }


def worst(found: list[Finding]) -> Finding:
    return max(found, key=lambda one: list(Grade).index(one.grade))


def test_a_supported_version_with_its_add_ons_is_well(ground: Grounds) -> None:
    found = list(versions.look(ground(eks())))
    assert [one.grade for one in found] == [Grade.OK, Grade.OK]
    assert f"until {NOW + timedelta(days=400):%Y-%m-%d}" in found[0].what


@pytest.mark.parametrize(
    ("answers", "grade", "said"),
    [
        ({"status": "EXTENDED_SUPPORT"}, Grade.FAILURE, "no standard support"),
        ({"status": "UNSUPPORTED"}, Grade.FAILURE, "no standard support"),
        ({"version": "1.30"}, Grade.FAILURE, "knows no Kubernetes 1.36"),
        ({"days": 30}, Grade.WARNING, "only"),
        ({"builds": ("v2-eksbuild.1",)}, Grade.FAILURE, "no vpc-cni v1-eksbuild.1"),
        ({"standing": "1.37"}, Grade.FAILURE, "stands with Kubernetes 1.37"),
        ({"standing": "1.34"}, Grade.FAILURE, "2 steps away"),
        ({"standing": "1.35"}, Grade.OK, "standard support"),
        ({"standing": "1.36"}, Grade.OK, "standard support"),
    ],
)
def test_versions_are_judged_by_what_eks_says(
    ground: Grounds, answers: Any, grade: Grade, said: str
) -> None:
    found = worst(list(versions.look(ground(eks(**answers)))))
    assert found.grade is grade
    assert said in found.what


def test_of_too_large_a_step_the_next_version_is_named(ground: Grounds) -> None:
    found = worst(list(versions.look(ground(eks(standing="1.34")))))
    assert "1.35 first" in found.fix


def test_what_may_not_be_asked_is_raised_for_whoever_asks(ground: Grounds) -> None:
    denied = refusal("eks", "describe_cluster", "AccessDeniedException")
    with pytest.raises(type(denied)):
        list(versions.look(ground({**eks(), ("eks", "describe_cluster"): denied})))
