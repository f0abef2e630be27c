"""What a kubeconfig may say, and how a wrong one is reported."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from corral.kubernetes import Access, KubeconfigError
from tests.kubernetes.doubles import Change, access_to

SECRET = "s3cr3t-t0ken"
PLUGINS = "client.authentication.k8s.io/v1"


def test_the_named_context_counts_and_current_context_does_not(tmp_path: Path) -> None:
    access = access_to("https://10.0.0.1:6443/", tmp_path, {"token": SECRET})
    endpoint = access.endpoint()
    assert endpoint.server == "https://10.0.0.1:6443"
    assert endpoint.credentials.current().token == SECRET


def test_files_are_found_relative_to_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(b"pem")
    access = access_to("https://h", tmp_path, None, **{"certificate-authority": "ca.crt"})
    assert access.endpoint().authority == b"pem"


def test_data_goes_before_a_file(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(b"file")
    data = base64.b64encode(b"data").decode()
    keys = {"certificate-authority": "ca.crt", "certificate-authority-data": data}
    assert access_to("https://h", tmp_path, None, **keys).endpoint().authority == b"data"


def test_a_token_file_is_read_and_goes_before_a_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    access = access_to("https://h", tmp_path, {"token": "fixed", "tokenFile": "token"})
    assert access.endpoint().credentials.current().token == "from-file"


def test_impersonation_becomes_headers(tmp_path: Path) -> None:
    headers = access_to("https://h", tmp_path, {"as": "jane"}).endpoint().headers
    assert headers == {"Impersonate-User": "jane"}


def user(**keys: Any) -> Change:
    return lambda document: document["users"][0].update(user={"token": SECRET, **keys})


def plugin(**keys: Any) -> Change:
    return user(exec={"apiVersion": PLUGINS, "command": "x", **keys})


def cluster(**keys: Any) -> Change:
    return lambda document: document["clusters"][0]["cluster"].update(keys)


def context(**keys: Any) -> Change:
    return lambda document: document["contexts"][0]["context"].update(keys)


WRONG: list[tuple[str, Change, str, str]] = [
    ("no such context", lambda d: d.update(contexts=[]), "contexts", "no entry named 'there'"),
    ("contexts of another shape", lambda d: d.update(contexts="x"), "contexts", "must be a list"),
    ("no such cluster", context(cluster="x"), "clusters", "no entry named 'x'"),
    ("no such user", context(user="x"), "users", "no entry named 'x'"),
    ("no server", cluster(server=None), "clusters[c].cluster.server", "missing"),
    ("a server without scheme", cluster(server="h:6443"), "cluster.server", "https://HOST"),
    ("a server of another type", cluster(server=6443), "cluster.server", "must be a str"),
    (
        "an authority that is gone",
        cluster(**{"certificate-authority": "no.crt"}),
        "authority",
        "no.crt",
    ),
    (
        "an authority that is no base64",
        cluster(**{"certificate-authority-data": "%"}),
        "authority-data",
        "base64",
    ),
    (
        "a certificate without key",
        user(**{"client-certificate-data": "YQ=="}),
        "client-key",
        "go together",
    ),
    (
        "a key without certificate",
        user(**{"client-key-data": "YQ=="}),
        "client-certificate",
        "go together",
    ),
    ("a password", user(username="u", password=SECRET), "username", "exec plugin"),
    (
        "an auth provider",
        user(**{"auth-provider": {"name": "gcp"}}),
        "auth-provider",
        "exec plugin",
    ),
    (
        "groups to impersonate",
        user(**{"as": "j", "as-groups": ["g"]}),
        "as-groups",
        "not supported",
    ),
    ("an old plugin", plugin(apiVersion=f"{PLUGINS}alpha1"), "exec.apiVersion", "v1alpha1"),
    ("a plugin without command", plugin(command=None), "exec.command", "missing"),
    ("a plugin that asks", plugin(interactiveMode="Always"), "interactiveMode", "IfAvailable"),
]


@pytest.mark.parametrize(
    ("change", "key", "text"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG]
)
def test_a_wrong_kubeconfig_names_file_key_and_fix(
    tmp_path: Path, change: Change, key: str, text: str
) -> None:
    access = access_to("https://h", tmp_path, {"token": SECRET})
    document = yaml.safe_load(access.kubeconfig.read_text())
    change(document)
    access.kubeconfig.write_text(yaml.safe_dump(document))
    with pytest.raises(KubeconfigError) as caught:
        access.endpoint()
    said = str(caught.value)
    assert str(access.kubeconfig) in said
    assert key in said
    assert text in said
    assert SECRET not in said


@pytest.mark.parametrize("content", [f"a: [{SECRET}", "- list", "", "\x00"])
def test_a_file_that_is_no_kubeconfig_is_not_quoted(tmp_path: Path, content: str) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(content)
    with pytest.raises(KubeconfigError) as caught:
        Access(kubeconfig=file, context="there").endpoint()
    assert SECRET not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match="no-such-file"):
        Access(kubeconfig=tmp_path / "no-such-file", context="there").endpoint()


def test_nothing_secret_shows_when_an_endpoint_is_printed(tmp_path: Path) -> None:
    access = access_to("https://h", tmp_path, {"token": SECRET})
    endpoint = access.endpoint()
    assert SECRET not in f"{endpoint!r} {endpoint.credentials!r} {endpoint.credentials.current()!r}"
