"""Credentials for one cluster alone, on a real API server."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from components.known_cluster import guarded_kubeconfig
from corral.embedded.cluster import EmbeddedCluster
from corral.kubernetes import Access, Api
from corral.kubernetes.guarded_credentials import cluster_uid
from corral.settings.cluster import ExistingCluster
from corral.teardown.state import pinned_uid
from tests.project_copy import ROOT

pytestmark = pytest.mark.cluster

ANOTHER = "00000000-0000-4000-8000-000000000000"


def plugin(cluster: EmbeddedCluster, uid: str) -> subprocess.CompletedProcess[str]:
    """The plugin, run as kubectl and Pulumi's provider run it."""
    arguments = ["--kubeconfig", str(cluster.kubeconfig), "--context", "corral", "--uid", uid]
    return subprocess.run(
        [sys.executable, "-m", "corral.kubernetes.guarded_credentials", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def guarded(cluster: EmbeddedCluster, folder: Path, uid: str) -> Access:
    """The kubeconfig that goes into a stack's state, in a file."""
    settings = ExistingCluster(
        kind="existing", kubeconfig=str(cluster.kubeconfig), context="corral"
    )
    endpoint = Access(kubeconfig=cluster.kubeconfig, context="corral").endpoint()
    file = folder / "guarded"
    file.write_text(guarded_kubeconfig(endpoint, settings, uid), encoding="utf-8")
    return Access(kubeconfig=file, context="corral")


def test_its_own_cluster_gets_what_the_context_shows(
    control_plane: EmbeddedCluster, api: Api
) -> None:
    done = plugin(control_plane, cluster_uid(api))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["apiVersion"], document["kind"]) == (
        "client.authentication.k8s.io/v1",
        "ExecCredential",
    )
    assert document["status"]


def test_another_cluster_gets_nothing(control_plane: EmbeddedCluster) -> None:
    done = plugin(control_plane, ANOTHER)
    assert done.returncode == 1
    assert done.stdout == ""
    assert ANOTHER in done.stderr
    assert "touches no other" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_guarded_kubeconfig_leads_in(
    control_plane: EmbeddedCluster, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)  # where providers are started
    client = Api.connect(guarded(control_plane, tmp_path, cluster_uid(api)))
    assert cluster_uid(client) == cluster_uid(api)
    client.close()


def test_it_holds_no_credential_and_says_which_cluster_it_is_for(
    control_plane: EmbeddedCluster, tmp_path: Path
) -> None:
    access = guarded(control_plane, tmp_path, ANOTHER)
    text = access.kubeconfig.read_text(encoding="utf-8")
    assert pinned_uid(text) == ANOTHER
    shown = Access(kubeconfig=control_plane.kubeconfig, context="corral").endpoint().credentials
    credential = shown.current()
    certificate = credential.certificate
    secrets = [credential.token, certificate.key.decode() if certificate else None]
    assert any(secrets), "the test looks for something"
    for secret in filter(None, secrets):
        assert secret not in text
        assert base64.b64encode(secret.encode()).decode() not in text


@pytest.mark.parametrize("text", ["", "/home/someone/.kube/config", "{}", '{"users": []}'])
def test_kubeconfigs_of_others_name_no_cluster(text: str) -> None:
    assert pinned_uid(text) is None
