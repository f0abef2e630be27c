"""The exporter as a process, with the rights that it is given, on a real API server, asked over TLS
as Prometheus asks it. `CORRAL_RECORD=1` writes down what it said."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml
from prometheus_client import Metric

from components.network.policies.status_port import EXPORTER
from components.observability.exporter.documents import exporter_documents
from components.observability.inventory import exporter as inventory
from corral.embedded.cluster import EmbeddedCluster
from corral.kubernetes import Access, Api, ApiError, Discovery
from corral.settings.observability import NAMESPACE
from tests.components.applying import apply
from tests.observability.programs import promtool
from tests.observability.stack.places import place
from tests.proof.sandbox_kinds import definition_path, definitions
from tests.warden.egress.ports import free_port
from tests.warden.exporter.state import parsed, values
from tests.warden.exporter.statuses import process, status

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "tests" / "observability" / "recorded" / "exporter.txt"
TENANT = "acme"
TENANT_NAMESPACE = f"agents-{TENANT}"
PODS = f"/api/v1/namespaces/{TENANT_NAMESPACE}/pods"
EXTENSIONS = f"/apis/extensions.agents.x-k8s.io/v1beta1/namespaces/{TENANT_NAMESPACE}"
PATIENCE = 40.0
OURS = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")


class Guard(BaseHTTPRequestHandler):
    """An agent that is idle."""

    sequence = 0

    def do_GET(self) -> None:
        Guard.sequence += 1
        body = status(process(sequence=Guard.sequence))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def guard() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Guard)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.fixture
def ground(api: Api) -> Iterator[None]:
    """Namespaces, agent-sandbox's kinds, and the exporter's own rights; gone afterwards."""
    for name, labels in (
        (TENANT_NAMESPACE, {"corral.dev/tenant": TENANT}),
        *((each, {}) for each in (NAMESPACE, "corral-egress", "corral-system")),
    ):
        meta = {"name": name, "labels": labels}
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
        api.apply(f"/api/v1/namespaces/{name}", document, manager="exporter-test")
    for each in definitions():
        api.apply(definition_path(each), each, manager="exporter-test")
    until(lambda: served(api), "agent-sandbox's kinds are served")
    api.apply(
        f"/api/v1/namespaces/{TENANT_NAMESPACE}/serviceaccounts/default",
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}},
        manager="exporter-test",
    )
    discovery = Discovery(api)
    for document in exporter_documents(place()):
        if document["kind"] in OURS:
            apply(api, discovery, document)
    yield
    for pod in api.list(PODS):
        api.send("DELETE", f"{PODS}/{pod['metadata']['name']}", body=b'{"gracePeriodSeconds":0}')
    for kind in ("sandboxclaims", "sandboxwarmpools"):
        for found in api.list(f"{EXTENSIONS}/{kind}"):
            api.delete(f"{EXTENSIONS}/{kind}/{found['metadata']['name']}")
    for kind in ("clusterroles", "clusterrolebindings"):
        api.delete(f"/apis/rbac.authorization.k8s.io/v1/{kind}/{EXPORTER}")


def served(api: Api) -> bool:
    try:
        api.list(f"{EXTENSIONS}/sandboxclaims")
        api.list(f"{EXTENSIONS}/sandboxwarmpools")
        api.list("/apis/agents.x-k8s.io/v1beta1/sandboxes")
    except ApiError:
        return False
    return True


def until(question: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE
    while not question():
        assert time.monotonic() < ends, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.1)


def as_the_exporter(control_plane: EmbeddedCluster, api: Api, folder: Path) -> Path:
    """A kubeconfig with a token of its account."""
    answer = api.create(
        f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{EXPORTER}/token",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
    )
    document = yaml.safe_load(control_plane.kubeconfig.read_text(encoding="utf-8"))
    for user in document["users"]:
        user["user"] = {"token": answer["status"]["token"]}
    found = folder / "kubeconfig"
    found.write_text(yaml.safe_dump(document), encoding="utf-8")
    return found


@pytest.fixture
def own(
    control_plane: EmbeddedCluster,
    api: Api,
    ground: None,  # noqa: ARG001 - its rights must be there
    tmp_path: Path,
) -> Iterator[Api]:
    """The API server, as the exporter may use it."""
    kubeconfig = as_the_exporter(control_plane, api, tmp_path)
    found = Api.connect(Access(kubeconfig=kubeconfig, context="corral"))
    yield found
    found.close()


class Running:
    """The process, and its figures over TLS."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.log = log
        self._url = f"https://127.0.0.1:{port}"
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._http = urllib3.PoolManager(ssl_context=context, retries=False)

    def ready(self) -> bool:
        try:
            return self._http.request("GET", f"{self._url}/ready").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def text(self) -> str:
        answer = self._http.request("GET", f"{self._url}/metrics")
        assert answer.status == 200
        return str(answer.data.decode())

    def said(self) -> dict[str, Metric]:
        return parsed(self.text())


@pytest.fixture
def exporter(
    control_plane: EmbeddedCluster,
    api: Api,
    ground: None,  # noqa: ARG001 - its rights must be there
    guard: int,
    tmp_path: Path,
) -> Iterator[Running]:
    (table,) = (each for each in exporter_documents(place()) if each["kind"] == "ConfigMap")
    (tmp_path / "table.json").write_text(table["data"]["table.json"], encoding="utf-8")
    kubeconfig = as_the_exporter(control_plane, api, tmp_path)
    port, log = free_port(), tmp_path / "exporter.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "warden.exporter"),
                *("--table", str(tmp_path / "table.json"), "--kubeconfig", str(kubeconfig)),
                *("--address", "127.0.0.1", "--port", str(port), "--agents-port", str(guard)),
            ],
            stdout=out,
            stderr=out,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"warden{os.pathsep}warden/guard"},
        )
        running = Running(process, port, log)
        try:
            until(running.ready, f"it is ready: {log.read_text()}")
            yield running
        finally:
            process.terminate()
            assert process.wait(timeout=PATIENCE) == 0, log.read_text()


def start(api: Api, name: str, **labels: str) -> None:
    """A sandbox that runs, as far as the API server knows: no scheduler has ever seen it."""
    meta = {"name": name, "labels": {"corral.dev/agent-class": "worker", **labels}}
    spec = {
        "schedulerName": "none",
        "automountServiceAccountToken": False,
        "containers": [{"name": "agent", "image": "none.invalid/agent"}],
    }
    api.create(PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    api.patch(
        f"{PODS}/{name}/status",
        {"status": {"phase": "Running", "podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}},
    )


def put(api: Api, kind: str, plural: str, name: str, **content: Any) -> None:
    document = {
        "apiVersion": "extensions.agents.x-k8s.io/v1beta1",
        "kind": kind,
        "metadata": {"name": name},
        **content,
    }
    api.create(f"{EXTENSIONS}/{plural}", document)


def test_what_is_on_the_cluster_is_told(api: Api, exporter: Running) -> None:
    start(api, "sandbox-1")
    start(api, "sandbox-2", **{"corral.dev/quarantine": "true"})
    put(api, "SandboxClaim", "sandboxclaims", "waits", spec={})
    put(api, "SandboxClaim", "sandboxclaims", "has", spec={}, status={"sandbox": {"name": "x"}})
    put(
        api,
        "SandboxWarmPool",
        "sandboxwarmpools",
        "warm",
        spec={"replicas": 4},
        status={"readyReplicas": 1},
    )

    def all_there() -> bool:
        said = exporter.said()
        return (
            len(said["corral_sandbox_age_seconds"].samples) == 2
            and values(said["corral_tenant_queue_length"], "tenant")[TENANT,] == 1
            and "corral_warm_pool_ready" in said
        )

    until(all_there, "both sandboxes, the claim and the pool are told")
    said = exporter.said()
    assert values(said["corral_sandbox_quarantined"], "pod") == {
        ("sandbox-1",): 0,
        ("sandbox-2",): 1,
    }
    assert values(said["corral_warm_pool_desired"], "tenant", "pool") == {(TENANT, "warm"): 4}
    assert values(said["corral_warm_pool_ready"], "tenant", "pool") == {(TENANT, "warm"): 1}
    api.delete(f"{PODS}/sandbox-2")
    until(lambda: "sandbox-2" not in exporter.text(), "a sandbox that is gone is told of no more")


def test_its_rights_are_enough_and_every_part_is_known(exporter: Running) -> None:
    parts = {"pods", "namespaces", "sandboxes", "claims", "warm-pools", "egress", "responses"}

    def known() -> set[tuple[str, ...]]:
        said = exporter.said()["corral_exporter_last_success_timestamp_seconds"]
        return set(values(said, "part"))

    until(lambda: {(part,) for part in parts} <= known(), "every part is known")
    assert "can't be watched" not in exporter.log.read_text()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/secrets"),
        ("GET", "/api/v1/namespaces/corral-egress/secrets"),
        ("GET", "/api/v1/configmaps"),
        ("GET", f"/api/v1/namespaces/{TENANT_NAMESPACE}/configmaps"),
        ("GET", f"{PODS}/any/log"),
        ("POST", f"{PODS}/any/exec?command=id"),
        ("DELETE", f"{PODS}/any"),
        ("GET", "/api/v1/nodes"),
    ],
)
def test_it_may_do_nothing_else(own: Api, method: str, path: str) -> None:
    with pytest.raises(ApiError) as refused:
        own.send(method, path)
    assert refused.value.status == 403


def test_its_log_holds_no_token(api: Api, exporter: Running, tmp_path: Path) -> None:
    token = yaml.safe_load((tmp_path / "kubeconfig").read_text())["users"][0]["user"]["token"]
    start(api, "sandbox-3")
    until(lambda: "sandbox-3" in exporter.text(), "it is told")
    assert token not in exporter.log.read_text()
    assert token not in exporter.text()


def test_an_agent_that_is_idle_is_told_and_what_is_said_is_as_recorded(
    api: Api, exporter: Running
) -> None:
    start(api, "sandbox-1")
    put(api, "SandboxClaim", "sandboxclaims", "waits", spec={})
    put(api, "SandboxWarmPool", "sandboxwarmpools", "warm", spec={"replicas": 4})
    maps = "/api/v1/namespaces/corral-egress/configmaps"
    record = json.dumps({"generation": 1, "allowed": ["a", "b"], "denied": []})
    api.apply(
        f"{maps}/egress-{TENANT}-test",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"egress-{TENANT}-test",
                "labels": {"egress.corral.dev/part": TENANT},
                "annotations": {"egress.corral.dev/record": record},
            },
        },
        manager="exporter-test",
    )
    shared = f"{maps}/egress-shared-test"
    noted = {"egress.corral.dev/certificates": json.dumps({"egress-control-server": 2000000000})}
    meta = {
        "name": "egress-shared-test",
        "labels": {"egress.corral.dev/part": "shared"},
        "annotations": noted,
    }
    document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
    api.apply(shared, document, manager="exporter-test")
    try:
        # It is looked for new ones every few seconds.
        ends = time.monotonic() + 90
        while "corral_sandbox_idle_seconds" not in exporter.said():
            assert time.monotonic() < ends, "the agent isn't told of"
            time.sleep(0.5)
        text = exporter.text()
    finally:
        api.delete(f"{maps}/egress-{TENANT}-test")
        api.delete(shared)
    said = parsed(text)
    assert values(said["corral_sandbox_idle_seconds"], "pod")["sandbox-1",] > 0
    assert values(said["corral_tenant_allowlist_entries"], "tenant") == {(TENANT,): 2}
    done = subprocess.run(
        [promtool(), "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if os.environ.get("CORRAL_RECORD"):
        RECORDED.write_text(_provenance() + text, encoding="utf-8")
    recorded = parsed(RECORDED.read_text(encoding="utf-8"))
    for each in inventory.METRICS:
        if each.name in said:
            assert each.name in recorded, f"{each.name} isn't recorded: CORRAL_RECORD=1"
            assert set(recorded[each.name].samples[0].labels) == set(each.labels)


def _provenance() -> str:
    return (
        f"# recorded: {datetime.now(UTC):%Y-%m-%d}\n"
        "# version: warden.exporter on a real API server (Kubernetes 1.36), one agent that is "
        "idle\n"
        "# command: CORRAL_RECORD=1 pytest tests/warden/exporter/test_on_a_cluster.py\n"
    )


@pytest.mark.parametrize("arguments", [["--help"]])
def test_help_shows_examples(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "warden.exporter", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"warden{os.pathsep}warden/guard"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "examples:" in done.stdout
    assert "--kubeconfig" in done.stdout


def test_a_table_that_is_none_ends_it_with_the_file_s_name(tmp_path: Path) -> None:
    (tmp_path / "table.json").write_text('{"classes": []}', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "warden.exporter", "--table", str(tmp_path / "table.json")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"warden{os.pathsep}warden/guard"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "table.json" in done.stderr
    assert "Traceback" not in done.stderr
