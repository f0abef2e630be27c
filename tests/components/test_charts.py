"""Third-party charts: where they come from, and as what they are registered."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.charts import PinnedChart, chart_location
from components.children import Children
from components.recording import record

OCI = PinnedChart(name="karpenter", version="1.2.3", repository="oci://registry.example/charts")
HTTPS = PinnedChart(name="operator", version="v3.4.5", repository="https://charts.example/all")

LOCATIONS: list[tuple[str, PinnedChart, str | None, dict[str, Any]]] = [
    (
        "its publisher's registry",
        OCI,
        None,
        {"chart": "oci://registry.example/charts/karpenter", "version": "1.2.3"},
    ),
    (
        "its publisher's index",
        HTTPS,
        None,
        {
            "chart": "operator",
            "version": "v3.4.5",
            "repository_opts": {"repo": "https://charts.example/all"},
        },
    ),
    (
        "a mirror takes the place of an index",
        HTTPS,
        "oci://mirror.example/charts/",
        {"chart": "oci://mirror.example/charts/operator", "version": "v3.4.5"},
    ),
    ("a folder holds files", OCI, "./artifacts", {"chart": "./artifacts/karpenter-1.2.3.tgz"}),
    ("wherever it is", HTTPS, "/srv/charts/", {"chart": "/srv/charts/operator-v3.4.5.tgz"}),
]


@pytest.mark.parametrize(
    ("pin", "source", "expected"), [case[1:] for case in LOCATIONS], ids=[c[0] for c in LOCATIONS]
)
def test_a_chart_is_taken_from(
    pin: PinnedChart, source: str | None, expected: dict[str, Any]
) -> None:
    assert chart_location(pin, source) == expected


def test_a_chart_is_registered_as_one_resource_with_its_version() -> None:
    class Layer(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("corral:test:Layer", "layer")
            Children(parent=self).chart(
                "karpenter",
                OCI,
                namespace="kube-system",
                values={"replicas": 2},
                source=None,
                definitions=None,
            )

    recorded = record(Layer)
    (chart,) = [r for r in recorded.values() if r.type == "kubernetes:helm.sh/v4:Chart"]
    assert chart.name == "karpenter"
    assert chart.urn.split("::")[2] == "corral:test:Layer$kubernetes:helm.sh/v4:Chart"
    assert chart.inputs["chart"] == "oci://registry.example/charts/karpenter"
    assert chart.inputs["version"] == "1.2.3"
    assert chart.inputs["namespace"] == "kube-system"
    assert chart.inputs["values"] == {"replicas": 2}
