"""A program's charts become objects in every plan, without a cluster."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from corral.commands.charts import PinnedHelm
from corral.commands.screen import Screen
from corral.embedded.cluster import default_cache
from corral.embedded.engine.charts import ChartRequest, ChartUnavailable
from corral.kubernetes import Api
from tests.embedded.cluster.waiting import eventually
from tests.project_copy import corral

CHART = {
    "Chart.yaml": "apiVersion: v2\nname: small\nversion: 1.0.0\n",
    "templates/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: small-map}\n"
    "data: {greeting: {{ .Values.greeting | quote }}}\n",
}

SEENS = "seens.capabilities.corral.dev"
DEFINITION = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{SEENS}"
SEEN = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": SEENS},
    "spec": {
        "group": "capabilities.corral.dev",
        "names": {"kind": "Seen", "plural": "seens"},
        "scope": "Cluster",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }
        ],
    },
}

PROGRAM = """
from pulumi_kubernetes.helm.v4 import Chart

Chart("small", chart="./chart", namespace="default", values={"greeting": "hello"})
"""


@pytest.mark.cluster
@pytest.mark.usefixtures("control_plane_programs")
def test_an_offline_plan_holds_what_is_in_a_chart(project: Path) -> None:
    for name, text in CHART.items():
        file = project / "chart" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    main = project / "__main__.py"
    main.write_text(main.read_text(encoding="utf-8") + PROGRAM, encoding="utf-8")

    result = corral(project, "plan", "local", "--offline", "--json", "-")

    assert result.returncode == 0, result.stderr
    resources = orjson.loads(result.stdout)["resources"]
    assert [r["inputs"]["data"] for r in resources if r["name"] == "small:default/small-map"] == [
        {"greeting": "hello"}
    ]


def test_where_nothing_is_fetched_a_machine_without_helm_goes_without_charts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CORRAL_CACHE", str(tmp_path / "cache"))
    assert default_cache() == tmp_path / "cache", "or this user's own Helm would be found"
    charts = PinnedHelm(tmp_path, Screen(quiet=True), fetches=False)
    request = ChartRequest(name="small", inputs={"chart": "oci://x/small"}, secret_paths=())

    with pytest.raises(ChartUnavailable, match="Helm isn't on this machine"):
        charts.expand(request)


@pytest.mark.cluster
def test_a_chart_sees_what_the_cluster_serves_and_what_an_earlier_chart_brought(
    tmp_path: Path, api: Api
) -> None:
    asked = {"policies": "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"}
    asked |= {"old": "admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy"}
    asked |= {"ours": "capabilities.corral.dev/v1/Seen"}
    data = "".join(
        f'  {name}: {{{{ .Capabilities.APIVersions.Has "{kind}" | quote }}}}\n'
        for name, kind in asked.items()
    )
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(CHART["Chart.yaml"], encoding="utf-8")
    (chart / "templates" / "map.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: seen}}\ndata:\n{data}",
        encoding="utf-8",
    )
    charts = PinnedHelm(tmp_path, Screen(quiet=True), api)
    request = ChartRequest(name="small", inputs={"chart": "./chart"}, secret_paths=())

    def seen() -> dict[str, str]:
        (made,) = charts.expand(request)
        return dict(made.document["data"])

    assert seen() == {"policies": "true", "old": "false", "ours": "false"}
    api.apply(DEFINITION, SEEN)
    try:
        assert eventually(lambda: seen()["ours"] == "true")
    finally:
        api.delete(DEFINITION)
