"""The matrix of versions: whole, and honest where a maker's window ends before ours."""

from __future__ import annotations

import pytest

from components import versions, versions_reference
from components.charts import PinnedChart
from components.compatibility import NEWEST_KUBERNETES, Part, minor, parts
from components.versions import EKS_ADDONS, eks_addons, eks_version, kubernetes_minor, node_image
from corral.settings.kubernetes import DEFAULT_KUBERNETES, KUBERNETES_VERSIONS

BEYOND = {"AWS Node Termination Handler", "TopoLVM"}
"""Parts whose makers don't say yet that they work with our newest Kubernetes."""


def test_the_committed_document_is_the_matrix() -> None:
    committed = versions_reference.FILE.read_text(encoding="utf-8")
    assert committed == versions_reference.text(), "write it again: make reference"


def test_every_pinned_chart_belongs_to_a_part() -> None:
    pinned: set[PinnedChart] = set()
    for name, value in vars(versions).items():
        if name.endswith(("_CHART", "_CHARTS")):
            pinned |= {value} if isinstance(value, PinnedChart) else set(value.values())
    assert pinned == {chart for part in parts() for chart in part.charts}, (
        "each chart needs its row in components/compatibility.py"
    )


def test_the_settings_default_is_what_is_tested() -> None:
    assert eks_version() == DEFAULT_KUBERNETES
    assert minor(DEFAULT_KUBERNETES) == NEWEST_KUBERNETES


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
def test_each_version_has_its_own_add_ons_and_image(version: str) -> None:
    addons = eks_addons(version)
    assert addons.keys() == EKS_ADDONS.keys()
    assert addons["kube-proxy"].startswith(f"v{version}."), "it follows Kubernetes"
    assert f"-standard-{version}-v2026" in node_image("amd64", version)
    assert [part.version for part in parts(version) if part.name == "Amazon EKS"] == [version]


def test_versions_that_a_cluster_may_have_follow_each_other() -> None:
    minors = [minor(version)[1] for version in KUBERNETES_VERSIONS]
    assert minors == list(range(minors[0], minors[0] + len(minors))), "EKS goes one at a time"
    assert kubernetes_minor() == f"v{KUBERNETES_VERSIONS[-1]}"


def test_only_known_parts_are_beyond_what_their_makers_say() -> None:
    assert {part.name for part in parts() if part.judged(NEWEST_KUBERNETES) == "no"} == BEYOND


@pytest.mark.parametrize(
    ("oldest", "newest", "kubernetes", "judged"),
    [
        (None, None, (1, 36), "not said"),
        ((1, 33), (1, 35), (1, 33), "yes"),
        ((1, 33), (1, 35), (1, 35), "yes"),
        ((1, 33), (1, 35), (1, 36), "no"),
        ((1, 33), (1, 35), (1, 32), "no"),
        ((1, 33), None, (1, 99), "yes"),
        (None, (1, 35), (1, 9), "yes"),
    ],
)
def test_a_window_is_judged_at_both_ends(
    oldest: tuple[int, int] | None,
    newest: tuple[int, int] | None,
    kubernetes: tuple[int, int],
    judged: str,
) -> None:
    part = Part(name="x", version="1", oldest=oldest, newest=newest, source="")
    assert part.judged(kubernetes) == judged
