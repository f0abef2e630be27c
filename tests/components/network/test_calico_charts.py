"""Calico's real charts with our values: what they make, and whether our own rules bear it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.documents import type_token
from components.network.calico_documents import (
    NAMESPACE,
    CalicoPlace,
    Crds,
    api_server_document,
    crds_chart,
    felix_document,
    flow_log_documents,
    installation_document,
    namespace_document,
    operator_chart,
    operator_values,
)
from components.versions import CALICO_OPERATOR, TOPOLVM_CHART
from corral.policy.check import judge_all
from corral.settings.network import Calico
from tests.components.rendered_charts import rendered

OSS = Calico()
PLACE = CalicoPlace(eks=True, kubernetes="1.36", system_nodes=3)
OLDER = CalicoPlace(eks=True, kubernetes="1.35", system_nodes=3)


def operator(into: Path, place: CalicoPlace = PLACE) -> list[dict[str, Any]]:
    found = rendered(
        operator_chart(OSS), operator_values(OSS, place), namespace=NAMESPACE, into=into
    )
    return [d for d in found if "helm.sh/hook" not in d["metadata"].get("annotations", {})]


def kinds(into: Path, place: CalicoPlace) -> list[dict[str, Any]]:
    return rendered(crds_chart(OSS, place), {}, namespace=NAMESPACE, into=into)


def served(documents: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """API version and kind of all that custom resource definitions bring."""
    return {
        (f"{d['spec']['group']}/{version['name']}", d["spec"]["names"]["kind"])
        for d in documents
        if d["kind"] == "CustomResourceDefinition"
        for version in d["spec"]["versions"]
        if version["served"]
    }


def test_the_operators_chart_makes_the_operator_and_nothing_that_it_acts_on(tmp_path: Path) -> None:
    made = operator(tmp_path)
    assert not [d["kind"] for d in made if "tigera.io/" in d["apiVersion"]]
    assert not [d["kind"] for d in made if d["kind"] == "CustomResourceDefinition"]
    (deployment,) = [d for d in made if d["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"].endswith(f"/tigera/operator:{CALICO_OPERATOR}")
    assert "-manage-crds=false" in container["args"]
    assert pod["nodeSelector"]["corral.dev/system"] == "true"
    assert pod["hostNetwork"] is True, "it starts before there is a network for pods"


@pytest.mark.parametrize("place", [PLACE, OLDER], ids=["v3", "v1"])
def test_the_kinds_of_all_that_we_register_are_in_the_chart_that_is_chosen(
    tmp_path: Path, place: CalicoPlace
) -> None:
    brought = served(kinds(tmp_path, place))
    crds: Crds = "v3" if place is PLACE else "v1"
    documents = [
        installation_document(OSS, place),
        api_server_document(place),
        felix_document(OSS, crds),
        *flow_log_documents(),
    ]
    assert {(d["apiVersion"], d["kind"]) for d in documents} <= brought
    other = {"v3": "crd.projectcalico.org/v1", "v1": "projectcalico.org/v3"}[crds]
    assert not [kind for api, kind in brought if api == other], "one set or the other"


def test_what_the_charts_make_breaks_no_rule_of_ours(tmp_path: Path) -> None:
    made = [
        d
        for d in (*operator(tmp_path), *kinds(tmp_path, PLACE))
        if d["kind"] != "CustomResourceDefinition"
    ]
    prefix = "urn:pulumi:test::corral::corral:platform:Platform$corral:network:Calico$"
    plan = [
        {
            "urn": f"{prefix}kubernetes:helm.sh/v4:Chart${type_token(d)}::{d['metadata']['name']}",
            "type": type_token(d),
            "inputs": d,
        }
        for d in made
    ] + [
        {"urn": f"{prefix}{type_token(d)}::default", "type": type_token(d), "inputs": d}
        for d in (installation_document(OSS, PLACE), namespace_document())
    ]
    assert [f"{f.rule} {f.urn} {f.field}" for f in judge_all(plan)] == []


def test_a_webhook_of_a_real_chart_that_stays_in_the_overlay_is_found(tmp_path: Path) -> None:
    values = {"webhook": {"podMutatingWebhook": {"enabled": True}}}
    made = rendered(TOPOLVM_CHART, values, namespace="topolvm-system", into=tmp_path)
    plan = [
        {"urn": f"{type_token(d)}::{d['metadata']['name']}", "type": type_token(d), "inputs": d}
        for d in (*made, installation_document(OSS, PLACE))
    ]
    found = [f for f in judge_all(plan) if f.rule == "api-server-reaches"]
    assert found and all("WebhookConfiguration" in f.urn for f in found)
    assert "hostNetwork: true" in found[0].message
