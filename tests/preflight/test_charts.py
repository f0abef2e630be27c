"""Whether charts are to be had: a registry and a repository of ours (doubles), and folders."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from corral.preflight.charts import CHART, look_at_charts
from corral.preflight.finding import Finding, Grade
from tests.preflight.conftest import resource

DIGEST = "sha256:" + "a" * 64


@dataclass
class Registry:
    """Has `charts/thing` in version 1.2.3, by OCI and by index.yaml."""

    port: int = 0
    token: str = ""
    """Wanted of whoever asks by OCI; given to anybody where it isn't "secret"."""
    asked: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    registry: Registry

    def do_GET(self) -> None:
        registry = self.registry
        registry.asked.append(self.path)
        if self.path.startswith("/token"):
            allowed = registry.token != "secret"
            self._answer(200 if allowed else 403, json.dumps({"token": registry.token}))
        elif self.path == "/v2/charts/thing/manifests/1.2.3":
            self._manifest(registry)
        elif self.path == "/stable/index.yaml":
            entry = {"version": "1.2.3", "digest": DIGEST}
            self._answer(200, yaml.safe_dump({"entries": {"thing": [entry]}}))
        else:
            self._answer(404, "")

    def _manifest(self, registry: Registry) -> None:
        if registry.token and self.headers.get("Authorization") != f"Bearer {registry.token}":
            realm = f'Bearer realm="http://{registry.host}/token",service="x",scope="pull"'
            self._answer(401, "", **{"WWW-Authenticate": realm})
        else:
            self._answer(200, "{}", **{"Docker-Content-Digest": DIGEST})

    def _answer(self, status: int, body: str, **headers: str) -> None:
        data = body.encode()
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def registry() -> Iterator[Registry]:
    state = Registry()
    handler = type("Handler", (_Handler,), {"registry": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        state.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def looked(root: Path, **inputs: object) -> Finding:
    [found] = look_at_charts([resource(CHART, "thing", **inputs)], root)
    return found


def test_no_charts_no_findings(tmp_path: Path) -> None:
    other = resource("kubernetes:core/v1:Namespace", "x")
    assert not list(look_at_charts([other], tmp_path))


@pytest.mark.parametrize("token", ["", "given-to-anybody"])
def test_a_chart_in_a_registry_is_told_with_its_digest(
    registry: Registry, token: str, tmp_path: Path
) -> None:
    registry.token = token
    found = looked(tmp_path, chart=f"oci://{registry.host}/charts/thing", version="1.2.3")
    assert found.grade is Grade.OK
    assert DIGEST in found.what


def test_a_version_that_a_registry_has_not_is_a_failure(registry: Registry, tmp_path: Path) -> None:
    found = looked(tmp_path, chart=f"oci://{registry.host}/charts/thing", version="9.9.9")
    assert found.grade is Grade.FAILURE
    assert "no such version" in found.what
    assert "charts.source" in found.fix


def test_a_registry_that_wants_a_login_is_not_said_to_lack_the_chart(
    registry: Registry, tmp_path: Path
) -> None:
    registry.token = "secret"
    found = looked(tmp_path, chart=f"oci://{registry.host}/charts/thing", version="1.2.3")
    assert found.grade is Grade.WARNING
    assert "helm registry login" in found.fix


@pytest.mark.parametrize(("version", "grade"), [("1.2.3", Grade.OK), ("9.9.9", Grade.FAILURE)])
def test_a_repository_s_index_is_read(
    registry: Registry, version: str, grade: Grade, tmp_path: Path
) -> None:
    repository = {"repo": f"http://{registry.host}/stable"}
    found = looked(tmp_path, chart="thing", version=version, repositoryOpts=repository)
    assert found.grade is grade
    assert ("sha256" in found.what) is (grade is Grade.OK)


def test_a_chart_in_a_folder_is_there_or_not(tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "thing-1.2.3.tgz").touch()
    assert looked(tmp_path, chart="./artifacts/thing-1.2.3.tgz").grade is Grade.OK
    missing = looked(tmp_path, chart="./artifacts/other-1.2.3.tgz")
    assert missing.grade is Grade.FAILURE
    assert "other-1.2.3.tgz" in missing.what


def test_nobody_there_is_a_warning_and_no_traceback(registry: Registry, tmp_path: Path) -> None:
    found = looked(tmp_path, chart="oci://127.0.0.1:1/charts/thing", version="1.2.3")
    assert found.grade is Grade.WARNING
    assert registry.asked == []
