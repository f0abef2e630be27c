"""Events of a real API server, as the watcher writes them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from corral.embedded.cluster import EmbeddedCluster, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api
from tests.control_plane import simulated_node
from tests.go_programs import ROOT
from warden.events.lines import line

NAMESPACE = "agents-acme"
FORGED = {"tenant": "records", "namespace": "agents-records"}


def event(name: str, **more: object) -> dict[str, object]:
    about = {"kind": "Pod", "namespace": NAMESPACE, "name": "coder", "uid": "1"}
    meta = {"name": name, "namespace": NAMESPACE, "labels": FORGED}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": meta,
        "involvedObject": about,
        "reason": "Failed",
        "type": "Warning",
        **more,
    }


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    found = EmbeddedCluster(tmp_path_factory.mktemp("events"), default_cache())
    try:
        found.start([simulated_node("system-1")], Silent())
        yield found
    finally:
        found.reset()


@pytest.mark.cluster
def test_an_event_is_a_line_with_its_namespace_s_tenant(cluster: EmbeddedCluster) -> None:
    api = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    api.create("/api/v1/namespaces", namespace)
    process = subprocess.Popen(
        [sys.executable, "-m", "warden.events", f"--kubeconfig={cluster.kubeconfig}"],
        cwd=ROOT / "warden",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        while "watching events" not in process.stderr.readline():
            assert process.poll() is None
        forged = json.dumps(FORGED)
        api.create(f"/api/v1/namespaces/{NAMESPACE}/events", event("one", message=f"x\n{forged}"))
        for written in process.stdout:
            said = json.loads(written)
            if said["namespace"] == NAMESPACE and said["reason"] == "Failed":
                break
    finally:
        process.terminate()
        process.wait(30)
        api.close()
    assert said["tenant"] == "acme"
    assert said["note"] == f"x\n{forged}", "it is one line, and what it says is text"
    assert (said["kind"], said["name"], said["count"]) == ("Pod", "coder", 1)


def test_an_event_of_the_platform_has_no_tenant() -> None:
    said = json.loads(line(event("x") | {"metadata": {"namespace": "default", "name": "x"}}))
    assert "tenant" not in said


def test_a_long_note_is_cut_and_none_is_empty() -> None:
    assert len(json.loads(line(event("x", message="y" * 100_000)))["note"]) == 4096
    assert json.loads(line({}))["note"] == ""
