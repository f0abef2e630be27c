"""Generated documents say what the code says."""

from __future__ import annotations

from types import ModuleType

import pytest

from components import architecture
from components.isolation import confidential_reference, tiers_reference
from corral.settings.confidential import FORMS
from corral.settings.tiers import RUNTIMES


@pytest.mark.parametrize("module", [architecture, tiers_reference, confidential_reference])
def test_the_committed_file_is_what_would_be_written(module: ModuleType) -> None:
    assert module.FILE.read_text(encoding="utf-8") == module.text(), "run `make reference`"


@pytest.mark.parametrize("runtime", sorted(RUNTIMES))
def test_every_runtime_says_what_it_gives_needs_and_can_t(runtime: str) -> None:
    text = tiers_reference.text()
    row = RUNTIMES[runtime]
    for said in (f"`{runtime}`", row.gives, row.needs, row.cannot, *row.extended_resources):
        assert said in text


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_confidential_says_what_it_protects_where_and_what_it_yields(
    name: str,
) -> None:
    text, form = confidential_reference.text(), FORMS[name]
    for said in (form.protects, form.leaves, form.where, form.limits, *form.sources):
        assert said in text
    for runtime in form.runtimes:
        assert f"RuntimeClass `{runtime}`" in text
        for resource in RUNTIMES[runtime].extended_resources:
            assert f"`{resource}`" in text
    if form.node_label:
        assert "`{}={}`".format(*form.node_label) in text


def test_the_picture_has_every_layer_and_the_gate_before_rights() -> None:
    picture = architecture.diagram()
    for layer in ("Isolation", "Admission", "Tenancy", "TenantNamespace"):
        assert f"subgraph {layer}[" in picture
    (gate,) = [line for line in picture.splitlines() if "seen to refuse" in line]
    assert gate.strip().endswith("TenantNamespace_RoleBinding")


def test_the_picture_leaves_out_what_follows() -> None:
    picture = architecture.diagram()
    assert "TenantNamespace_Namespace --> TenantNamespace_LimitRange" in picture
    assert "TenantNamespace_Namespace --> TenantNamespace_RoleBinding" not in picture
