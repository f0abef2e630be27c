"""Calico as it is registered: what there is of it, in what order, and what stays."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from components.platform import Platform
from components.recording import Recorded, record
from corral.settings.layers import Layer, Part
from corral.settings.loading import load_value
from tests.components.network.settings import ON_EKS
from tests.settings.good import good

CALICO = "corral:network:Calico"
CHART = "kubernetes:helm.sh/v4:Chart"


def registered(
    value: dict[str, Any], calico: dict[str, Any] | None = None, part: Part | None = None
) -> dict[str, Recorded]:
    """Resources below Calico by logical name; with its own under `calico`."""
    value = deepcopy(value)
    if calico is not None:
        value["network"] = {"calico": calico}
    settings = load_value(value, "stacks/Pulumi.test.yaml")
    found = record(lambda: Platform("corral", settings, part=part))
    return {r.name: r for r in found.values() if CALICO in r.urn}


def test_everything_waits_for_what_it_needs() -> None:
    found = registered(ON_EKS)
    kinds, operator = found["calico-kinds"], found["calico-operator"]
    assert kinds.urn in operator.dependencies, "without its kinds the operator gives up"
    assert operator.urn in found["installation"].dependencies
    for name in ("apiserver", "felixconfiguration"):
        assert found["installation"].urn in found[name].dependencies


@pytest.mark.parametrize(
    ("calico", "there"),
    [({}, set()), ({"flow-logs": True}, {"goldmane", "whisker"})],
)
def test_flow_logs_are_there_by_a_switch(calico: dict[str, Any], there: set[str]) -> None:
    assert {"goldmane", "whisker"} & set(registered(ON_EKS, calico)) == there


def test_no_one_takes_the_network_from_running_pods_by_a_slip() -> None:
    kept = {name for name, r in registered(ON_EKS).items() if r.protect}
    assert kept == {"installation"}
    loose = deepcopy(ON_EKS)
    loose["aws"]["protect"] = False
    assert not any(r.protect for r in registered(loose).values())


def test_a_cluster_of_ones_own_gets_calico_only_where_that_is_said() -> None:
    assert registered(good()) == {}
    assert "installation" in registered(good(), {"pods": "10.128.0.0/14"})


def test_charts_come_from_where_the_settings_say() -> None:
    value = deepcopy(ON_EKS)
    value["charts"] = {"source": "oci://mirror.example/charts"}
    charts = {r.inputs["chart"] for r in registered(value).values() if r.type == CHART}
    assert charts == {
        "oci://mirror.example/charts/tigera-operator",
        "oci://mirror.example/charts/crd.projectcalico.org.v1",
    }


def test_the_network_is_the_foundations() -> None:
    found = registered(ON_EKS, part=Part(of="corral", layer=Layer.FOUNDATION))
    assert "installation" in found, "EKS' add-ons wait for nodes, and nodes for the network"
