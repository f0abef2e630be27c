"""Credential plugins and token files: kept while they are good, fetched anew when they aren't."""

from __future__ import annotations

import stat
from pathlib import Path

import orjson
import pytest

from corral.kubernetes import Api, ApiError, CredentialError
from tests.kubernetes.doubles import Clock, Scripted, ScriptedServer, access_to, status

VERSION = "client.authentication.k8s.io/v1"


def plugin(folder: Path, body: str, version: str = VERSION) -> dict[str, dict[str, object]]:
    """A plugin that counts its runs in the file `runs`; `body` is Python that prints."""
    program = folder / "plugin"
    program.write_text(
        "#!/usr/bin/env python3\n"
        "import json, os, sys, pathlib\n"
        f"runs = pathlib.Path({str(folder / 'runs')!r})\n"
        "count = int(runs.read_text()) + 1 if runs.exists() else 1\n"
        "runs.write_text(str(count))\n"
        "asked = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "def give(**status):\n"
        "    print(json.dumps({'apiVersion': asked['apiVersion'], 'kind': 'ExecCredential',"
        " 'status': status}))\n" + body
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": version, "command": "./plugin"}}


def runs(folder: Path) -> int:
    return int((folder / "runs").read_text())


@pytest.mark.parametrize("version", [VERSION, "client.authentication.k8s.io/v1beta1"])
def test_a_plugins_token_is_shown_and_kept(tmp_path: Path, version: str) -> None:
    user = plugin(tmp_path, "give(token=f'token-{count}')", version)
    with ScriptedServer([Scripted()]) as server:
        api = Api.connect(access_to(server.url, tmp_path, user))
        api.get("/a")
        api.get("/b")
        shown = [heard.headers["Authorization"] for heard in server.heard]
    assert shown == ["Bearer token-1"] * 2
    assert runs(tmp_path) == 1, "a token without an end is asked for once"


@pytest.mark.parametrize(
    ("expires", "asked"), [("2001-01-01T00:00:00Z", 2), ("2901-01-01T00:00:00Z", 1)]
)
def test_a_token_is_fetched_anew_when_it_has_expired(
    tmp_path: Path, expires: str, asked: int
) -> None:
    user = plugin(tmp_path, f"give(token='t', expirationTimestamp={expires!r})")
    credentials = access_to("https://h", tmp_path, user).endpoint().credentials
    credentials.current()
    credentials.current()
    assert runs(tmp_path) == asked


def test_a_refused_token_is_fetched_anew_once(tmp_path: Path) -> None:
    user = plugin(tmp_path, "give(token=f'token-{count}')")
    answers = [status(401, "Unauthorized"), Scripted(body={"ok": True})]
    with ScriptedServer(answers) as server:
        assert Api.connect(access_to(server.url, tmp_path, user)).get("/") == {"ok": True}
    assert runs(tmp_path) == 2


def test_a_token_that_stays_refused_ends_as_401(tmp_path: Path) -> None:
    user = plugin(tmp_path, "give(token='always-the-same')")
    with ScriptedServer([status(401, "Unauthorized", "no")]) as server:
        api = Api.connect(access_to(server.url, tmp_path, user), retries=Clock().retries())
        with pytest.raises(ApiError, match="no"):
            api.get("/")
        assert len(server.heard) == 1, "the same token again can't help"


def test_a_plugin_hears_of_the_cluster_only_where_the_kubeconfig_says_so(tmp_path: Path) -> None:
    user = plugin(tmp_path, "give(token=asked['spec'].get('cluster', {}).get('server', 'none'))")
    silent = access_to("https://h", tmp_path, user).endpoint().credentials
    assert silent.current().token == "none"
    user["exec"]["provideClusterInfo"] = True
    told = access_to("https://h", tmp_path, user).endpoint().credentials
    assert told.current().token == "https://h"


BROKEN = {
    "fails": ("sys.stderr.write('log in first'); sys.exit(3)", "log in first"),
    "prints no JSON": ("print('S3CRET')", "did not print JSON"),
    "prints something else": ('print(\'{"kind": "S3CRET"}\')', "ExecCredential"),
    "prints no credential": ("give()", "neither a token nor a certificate"),
    "prints half a certificate": ("give(clientCertificateData='S3CRET')", "with its key"),
    "prints a wrong time": ("give(token='S3CRET', expirationTimestamp='soon')", "no time"),
    "prints another version": (
        "asked['apiVersion'] = 'client.authentication.k8s.io/v1beta1'; give(token='S3CRET')",
        "another version",
    ),
}


@pytest.mark.parametrize(("body", "text"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_is_named_and_what_it_printed_is_not(
    tmp_path: Path, body: str, text: str
) -> None:
    credentials = access_to("https://h", tmp_path, plugin(tmp_path, body)).endpoint().credentials
    with pytest.raises(CredentialError) as caught:
        credentials.current()
    assert text in str(caught.value)
    assert "plugin" in str(caught.value)
    assert "S3CRET" not in str(caught.value)


def test_a_plugin_that_is_not_installed_comes_with_its_hint(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": VERSION, "command": "no-such", "installHint": "Get it."}}
    credentials = access_to("https://h", tmp_path, user).endpoint().credentials
    with pytest.raises(CredentialError, match=r"not installed\. Get it"):
        credentials.current()


def test_a_token_file_that_changed_is_read_again_when_its_token_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("old")
    with ScriptedServer([Scripted(), status(401, "Unauthorized"), Scripted()]) as server:
        api = Api.connect(access_to(server.url, tmp_path, {"tokenFile": "token"}))
        api.get("/")
        (tmp_path / "token").write_text("new")
        api.get("/")
        assert server.heard[-1].headers["Authorization"] == "Bearer new"


def test_what_a_plugin_is_asked_is_a_valid_execcredential(tmp_path: Path) -> None:
    user = plugin(tmp_path, "give(token=json.dumps(asked))")
    asked = access_to("https://h", tmp_path, user).endpoint().credentials.current().token
    assert orjson.loads(asked or "") == {
        "apiVersion": VERSION,
        "kind": "ExecCredential",
        "spec": {"interactive": False},
    }
