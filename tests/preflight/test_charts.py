"""Whether charts and images are to be had: a registry and a repository of ours (doubles), and
folders."""

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
from corral.preflight.container_images import look_at_container_images, parsed
from corral.preflight.finding import Finding, Grade
from tests.preflight.conftest import resource

DIGEST = "sha256:" + "a" * 64
PATHS = ("/v2/charts/thing/manifests/1.2.3", f"/v2/charts/thing/manifests/{DIGEST}")


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
        elif self.path in PATHS:
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


def image(name: str) -> Finding:
    pod = {"spec": {"containers": [{"name": "a", "image": name}], "volumes": []}}
    spec = {"template": pod, "note": {"image": {"not": "an image"}}}
    [found] = look_at_container_images([resource("kubernetes:apps/v1:DaemonSet", "x", spec=spec)])
    return found


def test_an_image_is_looked_for_by_its_digest_whatever_its_tag(registry: Registry) -> None:
    found = image(f"{registry.host}/charts/thing:9.9.9@{DIGEST}")
    assert found.grade is Grade.OK
    assert registry.asked == [PATHS[1]]


def test_an_image_by_tag_is_told_with_the_digest_behind_it(registry: Registry) -> None:
    assert DIGEST in image(f"{registry.host}/charts/thing:1.2.3").what


def test_an_image_that_its_registry_has_not_is_a_failure(registry: Registry) -> None:
    found = image(f"{registry.host}/charts/thing:9.9.9")
    assert found.grade is Grade.FAILURE
    assert "charts/thing:9.9.9 is not to be had" in found.what


def test_a_registry_that_is_out_of_reach_says_nothing_of_the_nodes() -> None:
    found = image("127.0.0.1:1/charts/thing:1.2.3")
    assert found.grade is Grade.WARNING
    assert "nodes pull it" in found.why


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("quay.io/a/b:1.0", ("quay.io", "a/b", "1.0")),
        (f"ghcr.io/a/b:1.0@{DIGEST}", ("ghcr.io", "a/b", DIGEST)),
        ("localhost:5000/b:1.0", ("localhost:5000", "b", "1.0")),
        ("python:3.14", ("registry-1.docker.io", "library/python", "3.14")),
        ("bitnami/x", ("registry-1.docker.io", "bitnami/x", "latest")),
        ("docker.io/a/b:1", ("registry-1.docker.io", "a/b", "1")),
    ],
)
def test_an_image_s_name_is_read_as_container_runtimes_do(
    name: str, parts: tuple[str, str, str]
) -> None:
    assert parsed(name) == parts
