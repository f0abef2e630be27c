"""The control plane with the rights that it is given, over what the program writes."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from corral.embedded.cluster import EmbeddedCluster
from corral.kubernetes import Access, Api, ApiError, Discovery
from tests.components.applying import apply_all, path_of
from tests.components.examples import LOCAL
from tests.components.network.test_egress_on_a_cluster import own
from tests.warden.egress.ports import free_port
from tests.warden.egress.test_on_a_cluster import certificates, listens, trusting, until

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[3]
NAMESPACE = "/api/v1/namespaces/corral-egress"
TENANT, OTHER = "/api/v1/namespaces/agents-acme", "/api/v1/namespaces/agents-trusted-ci"
PATIENCE = 20


@dataclass(frozen=True)
class Control:
    """The running control plane."""

    url: str
    http: urllib3.PoolManager
    api: Api
    """The API server, as it sees it."""


@pytest.fixture
def platform(api: Api) -> Iterator[Api]:
    """The local stack's egress and tenants; gone afterwards."""
    resources = own(LOCAL)
    apply_all(api, resources)
    yield api
    paths = [
        path_of(Discovery(api), resource.inputs)
        for resource in resources.values()
        if resource.type.endswith((":ClusterRole", ":ClusterRoleBinding", ":Namespace"))
    ]
    for path in paths:
        api.delete(path)
    until(lambda: not any(found(api, path) for path in paths), "all of it is gone")


@pytest.fixture
def control(platform: Api, control_plane: EmbeddedCluster, tmp_path: Path) -> Iterator[Control]:
    """It runs as its own account."""
    kubeconfig = as_its_account(platform, control_plane.kubeconfig, tmp_path)
    port, health = free_port(), free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "warden.egress", "--kubeconfig", str(kubeconfig)),
            *("--address", "127.0.0.1", "--host", "localhost"),
            *("--port", str(port), "--health-port", str(health)),
            *("--metrics-port", str(free_port())),
        ],
        env={**os.environ, "PYTHONPATH": "warden"},
        cwd=ROOT,
    )
    try:
        until(lambda: listens(port) or process.poll() is not None, "it listens")
        shown = certificates(platform, tmp_path)
        http = urllib3.PoolManager(ssl_context=trusting(shown, shows=shown), retries=False)
        client = Api.connect(Access(kubeconfig=kubeconfig, context="corral"))
        yield Control(url=f"https://localhost:{port}", http=http, api=client)
        client.close()
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def as_its_account(api: Api, kubeconfig: Path, folder: Path) -> Path:
    """A kubeconfig with a token of the account, as a pod has one."""
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = f"{NAMESPACE}/serviceaccounts/egress-control/token"
    token = api.create(path, asked)["status"]["token"]
    found = yaml.safe_load(kubeconfig.read_text())
    for user in found["users"]:
        user["user"] = {"token": token}
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(found))
    return file


def asked(control: Control, kind: str, **question: Any) -> dict[str, Any]:
    """The answer's resources by name; {} while there is none."""
    answer = control.http.request("POST", f"{control.url}/v3/discovery:{kind}", json=question)
    return {r["name"]: r for r in answer.json()["resources"]} if answer.status == 200 else {}


def test_its_rights_are_enough(control: Control, platform: Api) -> None:
    until(lambda: "acme.proxy" in asked(control, "listeners"), "doors open: parts are recorded")
    until(lambda: found(platform, f"{TENANT}/configmaps/egress-ca"), "sandboxes get their trust")
    (owner,) = platform.get(f"{TENANT}/configmaps/egress-ca")["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("RoleBinding", "corral-egress-trust")
    certificate = "acme.tls.api.openai.com"
    until(
        lambda: certificate in asked(control, "secrets", resource_names=[certificate]),
        "and the gateway a certificate that goes with it",
    )
    files = control.http.request("GET", f"{control.url}/corefiles").json()
    service = platform.get(f"{NAMESPACE}/services/gateway-acme")["spec"]["clusterIP"]
    assert list(files) == ["acme"]
    # What stands for any address, here: the program was told it, and handed it on.
    assert "allow 10.96.0.53 30" in files["acme"], service

    credential = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "egress-acme-openai",
            "labels": {"egress.corral.dev/credential-of": "acme"},
        },
        "data": {"value": base64.b64encode(b"Bearer sk-test").decode()},
    }
    platform.create(f"{NAMESPACE}/secrets", credential)
    name = "acme.credential.openai"
    until(lambda: name in asked(control, "secrets", resource_names=[name]), "its owner's key")


def found(api: Api, path: str) -> bool:
    return api.find(path) is not None


def test_they_are_no_more_than_that(control: Control) -> None:
    trust = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "egress-ca"},
        "data": {"ca.crt": "another's"},
    }
    attempts: dict[str, Callable[[], object]] = {
        "another namespace's Secrets": lambda: list(control.api.list(f"{TENANT}/secrets")),
        "the trust of a tenant whose TLS it doesn't end": lambda: control.api.create(
            f"{OTHER}/configmaps", trust, dry_run=True
        ),
        "a tenant's other ConfigMaps": lambda: control.api.get(
            f"{TENANT}/configmaps/kube-root-ca.crt"
        ),
        "pods": lambda: control.api.delete(f"{TENANT}/pods/any"),
        "more rights": lambda: control.api.delete(
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/corral-egress-control"
        ),
        "deleting parts": lambda: control.api.delete(f"{NAMESPACE}/configmaps/egress-acme"),
        "deleting what sandboxes trust: it goes with the binding": lambda: control.api.delete(
            f"{TENANT}/configmaps/egress-ca"
        ),
    }
    for what, attempt in attempts.items():
        with pytest.raises(ApiError) as caught:
            attempt()
        assert caught.value.status == 403, what
