"""Definitions that charts bring: where a destroy leaves them behind, and of which charts."""

from __future__ import annotations

import pytest

from components.platform import Platform
from components.recording import record
from corral.settings.loading import load_stack_file, stack_file
from tests.project_copy import ROOT

CHART = "kubernetes:helm.sh/v4:Chart"


def charts(stack: str) -> dict[str, tuple[str, ...]]:
    """The transforms of each chart of a stack, by the chart's name."""
    settings = load_stack_file(stack_file(stack, ROOT))
    found = record(lambda: Platform("corral", settings)).values()
    return {each.name: each.transforms for each in found if each.type == CHART}


def test_every_chart_on_a_cluster_of_somebody_else_s_leaves_its_definitions() -> None:
    found = charts("metal-example")
    assert {"calico-kinds", "kube-prometheus-stack", "topolvm"} <= found.keys()
    assert set(found.values()) == {("share_definitions",)}


def test_what_is_there_already_is_taken_over_in_definitions_alone() -> None:
    """Anything else that was taken over would go with the stack."""
    settings = load_stack_file(stack_file("metal-example", ROOT))
    found = record(lambda: Platform("corral", settings))
    providers = {e.name: e.inputs for e in found.values() if e.type.startswith("pulumi:providers")}
    assert providers["definitions"].pop("upsertExistingObjects") in (True, "true")
    assert providers["definitions"] == providers["cluster"]
    assert not {e.name for e in found.values() if "::definitions::" in e.provider}


@pytest.mark.parametrize("stack", ["local", "dev"])
def test_on_a_cluster_that_corral_makes_nothing_is_left(stack: str) -> None:
    assert set(charts(stack).values()) <= {()}
