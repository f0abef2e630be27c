"""A chart with a definition on a real API server that somebody else uses too, by the embedded
engine: what a destroy leaves there."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from corral.commands.destroy import released_definitions
from corral.embedded.cluster import Binaries, ClusterError, default_cache
from corral.embedded.engine.charts import HelmCharts
from corral.embedded.engine.engine import Engine
from corral.kubernetes import Api
from tests.control_plane import Shown
from tests.embedded.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

PROGRAM = """
import pulumi
import pulumi_kubernetes as k8s
from components.charts import PinnedChart
from components.children import Children


class Layer(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("corral:test:Layer", "layer")
        Children(parent=self).chart(
            "brought",
            PinnedChart(name="brought", version="1.0.0", repository=""),
            namespace="default",
            values={{}},
            source={source!r},
            definitions=k8s.Provider("definitions") if {leaves} else None,
        )


Layer()
"""


def definition(group: str) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things", "singular": "thing"},
            "versions": [version],
        },
    }


def definition_path(group: str) -> str:
    return f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}"


class Brought:
    """A project that installs one chart: a definition, and a ConfigMap."""

    def __init__(self, folder: Path, helm: Path, api: Api, group: str, *, leaves: bool) -> None:
        self.api, self.group = api, group
        files = {
            "Chart.yaml": {"apiVersion": "v2", "name": "brought", "version": "1.0.0"},
            "crds/things.yaml": definition(group),
            "templates/map.yaml": {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": group},
            },
        }
        with tarfile.open(folder / "brought-1.0.0.tgz", "w:gz") as archive:
            for name, document in files.items():
                content = orjson.dumps(document)
                member = tarfile.TarInfo(f"brought/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        (folder / "Pulumi.yaml").write_text("name: brought\nruntime: python\n")
        (folder / "__main__.py").write_text(PROGRAM.format(source=str(folder), leaves=leaves))
        self.engine = Engine(
            project=folder,
            stack=group.replace(".", "-"),
            config={},
            api=api,
            adopt=True,
            charts=HelmCharts(helm=helm, root=folder, cache=folder / "cache"),
        )

    def up(self) -> None:
        report = self.engine.up()
        assert report.ok, report.failures

    def destroy(self) -> list[str]:
        """Names of the definitions that are told as left."""
        report = self.engine.destroy(lambda _: True)
        assert report.ok, report.failures
        assert self.api.find(f"/api/v1/namespaces/default/configmaps/{self.group}") is None
        return released_definitions(report)

    @property
    def theirs(self) -> str:
        return f"/apis/{self.group}/v1/namespaces/default/things/theirs"

    def somebody_makes_a_thing(self) -> str:
        """Its uid."""
        thing = {"apiVersion": f"{self.group}/v1", "kind": "Thing", "metadata": {"name": "theirs"}}

        def made() -> bool:
            return self.api.find(f"/apis/{self.group}/v1") is not None

        assert eventually(made)
        uid: str = self.api.apply(self.theirs, thing, manager="somebody")["metadata"]["uid"]
        return uid


@pytest.fixture
def helm(request: pytest.FixtureRequest) -> Path:
    on_path = shutil.which("helm")
    if on_path is not None:
        return Path(on_path)
    try:
        return Binaries(default_cache()).ensure(["helm"], Shown(request.config))["helm"]
    except ClusterError as error:
        pytest.skip(f"no helm to test with: {error}")


@pytest.mark.parametrize("there_before", [True, False])
def test_somebody_else_s_object_outlives_a_destroy_with_its_definition(
    tmp_path: Path, helm: Path, api: Api, there_before: bool
) -> None:
    group = f"{'before' if there_before else 'after'}.left.example.dev"
    brought = Brought(tmp_path, helm, api, group, leaves=True)
    if there_before:
        api.apply(definition_path(group), definition(group), manager="somebody")
        uid = brought.somebody_makes_a_thing()
        brought.up()
    else:
        brought.up()
        uid = brought.somebody_makes_a_thing()
    assert brought.destroy() == [f"things.{group}"]
    assert "deletionTimestamp" not in api.get(definition_path(group))["metadata"]
    assert api.get(brought.theirs)["metadata"]["uid"] == uid
    brought.up()  # what was left is no obstacle
    assert api.get(brought.theirs)["metadata"]["uid"] == uid
    brought.destroy()
    api.delete(definition_path(group))


def test_on_a_cluster_of_ones_own_it_goes_with_the_rest(
    tmp_path: Path, helm: Path, api: Api
) -> None:
    group = "gone.example.dev"
    brought = Brought(tmp_path, helm, api, group, leaves=False)
    brought.up()
    brought.somebody_makes_a_thing()
    assert brought.destroy() == []
    assert eventually(lambda: api.find(definition_path(group)) is None)
