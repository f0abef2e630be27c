"""Which Kubernetes a cluster may have, and what is said of any other."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from corral.settings.cluster import EksCluster
from corral.settings.kubernetes import DEFAULT_KUBERNETES, KUBERNETES_VERSIONS
from corral.settings.loading import load_value
from corral.settings.problems import SettingsError
from tests.cloud.stacks import DEV


def with_version(version: Any) -> dict[str, Any]:
    settings = deepcopy(DEV)
    settings["cluster"]["version"] = version
    return settings


def test_left_out_it_is_the_newest() -> None:
    cluster = load_value(deepcopy(DEV), "test").cluster
    assert isinstance(cluster, EksCluster)
    assert cluster.version == DEFAULT_KUBERNETES == max(KUBERNETES_VERSIONS)


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
def test_each_supported_version_is_taken(version: str) -> None:
    cluster = load_value(with_version(version), "test").cluster
    assert isinstance(cluster, EksCluster)
    assert cluster.version == version


@pytest.mark.parametrize(
    ("version", "rule", "fix"),
    [
        ("1.34", "end of EKS' standard support", 'write "1.35"'),
        ("1.29", "end of EKS' standard support", 'write "1.35"'),
        ("1.37", "no add-ons and node images of newer ones", "use a newer corral"),
        (1.36, "in quotes", 'write "1.36"'),
        ("1.36.3", "one of 1.35, 1.36", "1.36"),
        ("v1.36", "one of 1.35, 1.36", "1.36"),
        ("newest", "one of 1.35, 1.36", "write one of these"),
        (True, "one of 1.35, 1.36", "write one of these"),
    ],
)
def test_any_other_is_refused_with_what_to_write(version: Any, rule: str, fix: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_value(with_version(version), "test")
    [problem] = refused.value.problems
    assert problem.path[-2:] == ("cluster", "version")
    assert rule in str(refused.value)
    assert fix in str(refused.value)
