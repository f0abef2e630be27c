"""Both engines carry out the same program: the same objects and the same URNs stay behind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from corral.embedded.engine.objects import PART_OF
from corral.kubernetes import Access, Api
from tests.project_copy import ROOT, copy_project, corral

ENGINE = ("pulumi", "pulumi-language-python", "pulumi-resource-kubernetes")
MISSING = [program for program in ENGINE if shutil.which(program) is None]

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.engine,
    pytest.mark.skipif(
        bool(MISSING),
        reason=f"no Pulumi engine: {', '.join(MISSING)} not on PATH; the embedded engine alone "
        "was tested",
    ),
]

QUIET = {
    "PULUMI_SKIP_UPDATE_CHECK": "1",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
    "PULUMI_BACKEND_URL": "",
}

APPLYSET = "applyset.kubernetes.io/id"

COLLECTIONS = (
    "/api/v1/namespaces",
    "/api/v1/resourcequotas",
    "/api/v1/limitranges",
    "/api/v1/serviceaccounts",
    "/api/v1/configmaps",
    "/apis/apps/v1/deployments",
    "/apis/policy/v1/poddisruptionbudgets",
    "/apis/networking.k8s.io/v1/networkpolicies",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    "/apis/node.k8s.io/v1/runtimeclasses",
    "/apis/scheduling.k8s.io/v1/priorityclasses",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project brought up by the embedded engine on a cluster of its own."""
    yield from _brought_up(tmp_path_factory.mktemp("embedded") / "project", "embedded")


@pytest.fixture(scope="module")
def pulumi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project brought up by Pulumi, through the Automation API, on a cluster of its own."""
    yield from _brought_up(tmp_path_factory.mktemp("pulumi") / "project", "pulumi")


def _brought_up(folder: Path, engine: str) -> Iterator[Path]:
    project = copy_project(folder)
    try:
        result = corral(
            project, "up", "local", "--engine", engine, "--no-demonstration", environment=QUIET
        )
        assert result.returncode == 0, result.stderr
        yield project
    finally:
        corral(project, "cluster", "reset", "--yes")


def _objects(project: Path) -> dict[str, Any]:
    access = Access(kubeconfig=project / ".corral" / "kubeconfig", context="corral")
    api = Api.connect(access)
    found = {}
    addresses = _service_addresses(api)
    for collection in COLLECTIONS:
        for listed in api.list(collection, labels="app.kubernetes.io/managed-by=corral"):
            item = _with_names(listed, addresses)
            metadata = item["metadata"]
            if APPLYSET in metadata.get("labels", {}):
                continue  # the embedded engine's own inventory
            key = f"{collection} {metadata.get('namespace', '')}/{metadata['name']}"
            found[key] = _as_the_program_said(item)
    api.close()
    return found


def _service_addresses(api: Api) -> dict[str, str]:
    """Names of Services by their addresses, which each cluster gives out as it likes."""
    return {
        service["spec"]["clusterIP"]: f"address of {service['metadata']['name']}"
        for service in api.list("/api/v1/services", labels="app.kubernetes.io/managed-by=corral")
    }


def _with_names(item: dict[str, Any], addresses: dict[str, str]) -> dict[str, Any]:
    text = orjson.dumps(item).decode()
    for address, name in addresses.items():
        text = re.sub(rf"(?<![0-9.]){re.escape(address)}(?![0-9.])", name, text)
    found: dict[str, Any] = orjson.loads(text)
    return found


def _as_the_program_said(item: dict[str, Any]) -> dict[str, Any]:
    """Without what the server adds by itself and what each engine notes for itself."""
    metadata = item["metadata"]
    kept = {
        "labels": {k: v for k, v in metadata.get("labels", {}).items() if k != PART_OF},
        "annotations": {
            key: value
            for key, value in metadata.get("annotations", {}).items()
            if not key.startswith(("engine.corral.dev/", "pulumi.com/"))
        },
    }
    rest = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    if item["metadata"]["name"] == "egress-gateway":
        rest.get("spec", {}).pop("replicas", None)  # its autoscaler's business, and soon or late
    return {**rest, "metadata": kept}


def _embedded_urns(project: Path) -> set[str]:
    result = corral(project, "plan", "local", "--offline", "--json", "-")
    return {resource["urn"] for resource in orjson.loads(result.stdout)["resources"]}


def _pulumi(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    state = project / ".corral" / "pulumi"
    return subprocess.run(
        [str(shutil.which("pulumi")), *arguments, "--stack", "local", "--non-interactive"],
        cwd=project,
        env={
            **os.environ,
            **QUIET,
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(state / "passphrase"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def test_the_same_objects_stay_behind(embedded: Path, pulumi: Path) -> None:
    ours, theirs = _objects(embedded), _objects(pulumi)
    assert len(ours) > 40, "an empty comparison would prove nothing"
    assert ours.keys() == theirs.keys()
    for key, document in ours.items():
        assert document == theirs[key], key


def test_the_same_urns_are_registered(embedded: Path, pulumi: Path) -> None:
    exported = _pulumi(pulumi, "stack", "export")
    assert exported.returncode == 0, exported.stderr
    state = orjson.loads(exported.stdout)["deployment"]["resources"]
    assert {resource["urn"] for resource in state} == _embedded_urns(embedded)


def test_pulumi_leaves_the_stack_file_as_it_was(pulumi: Path) -> None:
    name = Path("stacks") / "Pulumi.local.yaml"
    assert (pulumi / name).read_bytes() == (ROOT / name).read_bytes()


def test_under_pulumi_a_second_preview_has_no_changes(pulumi: Path) -> None:
    result = _pulumi(pulumi, "preview", "--expect-no-changes")
    assert result.returncode == 0, result.stdout


def test_under_pulumi_a_refresh_finds_no_drift(pulumi: Path) -> None:
    result = _pulumi(pulumi, "refresh", "--preview-only", "--expect-no-changes")
    assert result.returncode == 0, result.stdout


def test_pulumi_does_not_take_over_what_the_embedded_engine_made_and_says_so(
    embedded: Path,
) -> None:
    result = corral(embedded, "up", "local", "--engine", "pulumi", environment=QUIET)
    assert result.returncode == 1, "two engines would undo each other's work"
    assert "Traceback" not in result.stderr


def test_the_embedded_engine_does_not_take_over_what_pulumi_made(pulumi: Path) -> None:
    result = corral(pulumi, "up", "local", "--engine", "embedded", environment=QUIET)
    assert result.returncode == 1, "two engines would undo each other's work"
    assert "Traceback" not in result.stderr


def test_pulumi_destroy_leaves_nothing_of_the_platform(tmp_path: Path) -> None:
    for project in _brought_up(tmp_path / "project", "pulumi"):
        result = corral(
            project, "destroy", "local", "--engine", "pulumi", "--yes", environment=QUIET
        )
        assert result.returncode == 0, result.stderr
        assert _objects(project) == {}
