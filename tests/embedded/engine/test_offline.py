"""Plans without cluster, engine or credentials."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from corral.embedded.engine.charts import ChartRequest, ChartUnavailable
from corral.embedded.engine.manifests import ChartObject
from corral.embedded.engine.offline import PlanFailed, PlannedResource, plan_json, plan_offline
from tests.embedded.engine.programs import write_project

PREFIX = "urn:pulumi:dev::proj::"

PROGRAM = """
last = config_map("z-first", {"token": pulumi.Output.secret("t0ken"), "n": "1"}, protect=True)
group = Group("group")
config_map("a-after", {"name": last.immutable.apply(str), "copy": last.data["token"]}, parent=group)
config_map("b", depends_on=[group])
config_map("c")
"""


def plan(directory: Path, source: str, **options: Any) -> list[PlannedResource]:
    project = write_project(directory, source)
    return plan_offline(project=project, stack="dev", config={}, **options)


def test_the_plan_holds_every_resource_with_marks_for_secrets_and_unknowns(tmp_path: Path) -> None:
    document = json.loads(plan_json(plan(tmp_path, PROGRAM)))
    assert set(document) == {"resources"}
    assert [resource["name"] for resource in document["resources"]] == [
        "proj-dev", "c", "z-first", "group", "a-after", "b",
    ]  # fmt: skip
    by_name = {resource["name"]: resource for resource in document["resources"]}
    assert by_name["z-first"] == {
        "urn": f"{PREFIX}kubernetes:core/v1:ConfigMap::z-first",
        "type": "kubernetes:core/v1:ConfigMap",
        "name": "z-first",
        "parent": f"{PREFIX}pulumi:pulumi:Stack::proj-dev",
        "dependencies": [],
        "protect": True,
        "inputs": {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "z-first", "namespace": "default"},
            "data": {"token": {"$corral": "secret"}, "n": "1"},
        },
    }
    assert by_name["a-after"]["inputs"]["data"] == {
        "name": {"$corral": "unknown"},
        "copy": {"$corral": "secret"},
    }
    assert by_name["a-after"]["dependencies"] == [by_name["z-first"]["urn"]]
    assert by_name["group"]["inputs"] == {} and by_name["proj-dev"]["parent"] is None
    assert "t0ken" not in json.dumps(document)


def test_what_is_needed_comes_before_what_needs_it(tmp_path: Path) -> None:
    resources = plan(tmp_path, PROGRAM)
    seen: set[str] = set()
    for resource in resources:
        assert seen.issuperset({*resource.dependencies, resource.parent} - {None})
        seen.add(resource.urn)


def test_the_plan_is_the_same_in_every_process(tmp_path: Path) -> None:
    write_project(tmp_path, PROGRAM)
    code = (
        "import sys; from pathlib import Path\n"
        "from corral.embedded.engine.offline import plan_json, plan_offline\n"
        "plan = plan_offline(project=Path(sys.argv[1]), stack='dev', config={})\n"
        "sys.stdout.buffer.write(plan_json(plan))"
    )
    plans = {
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(plans) == 1


def test_a_plan_opens_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("a plan without a cluster opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert len(plan(tmp_path, PROGRAM)) == 6


def test_existing_objects_are_not_looked_up(tmp_path: Path) -> None:
    resources = plan(
        tmp_path,
        """
        there = ConfigMap.get("there", "kube-system/there")
        config_map("copy", {"id": there.id, "value": there.immutable.apply(str)})
        """,
    )
    [copy] = [resource for resource in resources if resource.name == "copy"]
    assert copy.inputs["data"] == {"id": "kube-system/there", "value": {"$corral": "unknown"}}


CHART = """
chart = k8s.helm.v4.Chart("web", chart="web", values={"a": pulumi.Output.secret("t0ken")})
config_map("after", depends_on=[chart])
"""


class NoSource:
    def expand(self, request: ChartRequest) -> list[ChartObject]:
        raise ChartUnavailable(
            chart=request.name, source="nowhere", artifacts=None, reason="no route"
        )


@pytest.mark.parametrize(
    ("charts", "reason"), [(None, "there is no helm here"), (NoSource(), "no route")]
)
def test_a_chart_that_cannot_be_expanded_is_told_and_drops_nothing(
    tmp_path: Path, charts: NoSource | None, reason: str
) -> None:
    told: list[str] = []
    resources = plan(tmp_path, CHART, charts=charts, unexpanded=told.append)
    assert {resource.name for resource in resources} == {"proj-dev", "web", "after"}
    [chart] = [resource for resource in resources if resource.name == "web"]
    assert chart.inputs["values"] == {"a": {"$corral": "secret"}}
    [text] = told
    assert reason in text


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise ValueError('no')", "ValueError: no"),
        ("config_map('one', {'a': pulumi.StringAsset('x')})", "data.a holds an asset"),
        ("config_map('one'); config_map('one')", "Two resources have the URN"),
    ],
)
def test_a_program_that_fails_has_no_plan(tmp_path: Path, source: str, reason: str) -> None:
    with pytest.raises(PlanFailed, match=reason):
        plan(tmp_path, source)
