"""Calico's real charts brought up by `corral up` on a real API server, in one run: kinds, operator
and what it acts on; nothing on the second; nothing left after `destroy`.

Its operator doesn't run there, nodes are simulated: that Calico works is not shown.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson
import pytest
import yaml

from components.versions import CALICO_CHART, CALICO_CRDS_CHARTS
from corral.kubernetes import Access, Api
from tests.components.rendered_charts import FOLDER
from tests.project_copy import copy_project, corral

pytestmark = pytest.mark.cluster

INSTALLATION = "/apis/operator.tigera.io/v1/installations/default"
FELIX = "/apis/projectcalico.org/v3/felixconfigurations/default"
POLICIES = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies"


@pytest.fixture(scope="module")
def project(
    control_plane_programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A project whose local stack has Calico, from charts that stand in its folder `artifacts`."""
    helm = control_plane_programs.get("helm") or shutil.which("helm")
    charts = os.environ.get(FOLDER)
    if charts is None or helm is None:
        pytest.skip(f"no {FOLDER}, or no helm: Calico's charts are not brought up here")
    folder = copy_project(tmp_path_factory.mktemp("calico") / "project")
    _pack(Path(charts), folder / "artifacts", Path(helm))
    file = folder / "stacks" / "Pulumi.local.yaml"
    stack = yaml.safe_load(file.read_text(encoding="utf-8"))
    settings = stack["config"]["corral:settings"]
    settings["network"] = {**settings["network"], "calico": {"flow-logs": True}}
    file.write_text(yaml.safe_dump(stack), encoding="utf-8")
    try:
        yield folder
    finally:
        corral(folder, "cluster", "reset", "--yes")


def _pack(charts: Path, into: Path, helm: Path) -> None:
    into.mkdir()
    for chart in (CALICO_CHART, CALICO_CRDS_CHARTS["v3"]):
        if (charts / chart.file).is_file():
            shutil.copy2(charts / chart.file, into)
        elif (charts / chart.name).is_dir():
            command: list[str | Path] = [helm, "package", charts / chart.name]
            command += ["--destination", into]
            subprocess.run(command, check=True, capture_output=True)
        else:
            pytest.skip(f"{charts} has no {chart.file}")


def test_calico_comes_in_one_run_and_goes_in_one(project: Path) -> None:
    made = corral(project, "up", "local", "--no-demonstration")
    assert made.returncode == 0, made.stderr
    api = Api.connect(Access(kubeconfig=project / ".corral" / "kubeconfig", context="corral"))

    kept = api.get(INSTALLATION)["spec"]
    assert kept["calicoNetwork"]["linuxPolicySetupTimeoutSeconds"] == 10
    assert api.get(FELIX)["spec"]["workloadSourceSpoofing"] == "Disabled"
    assert list(api.list(POLICIES)), "Calico's own defaults come by these with kinds of v3"

    again = corral(project, "plan", "local", "--json", "-")
    assert again.returncode == 0, again.stderr
    assert orjson.loads(again.stdout)["changes"] == []

    gone = corral(project, "destroy", "local", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert api.find("/apis/operator.tigera.io/v1") is None
    api.close()
