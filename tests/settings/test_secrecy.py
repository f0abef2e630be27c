"""What may be a secret is never shown, wherever it was typed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from corral.settings import document
from corral.settings.loading import load_stack_file, load_value
from corral.settings.problems import MISSING, Problem, SettingsError
from corral.settings.secrecy import HIDDEN, secret_name, secret_text, shown
from tests.settings.good import good

SECRET = "correct-horse-battery"


@pytest.mark.parametrize(
    "name",
    [
        *("password", "dbPassword", "DB_PASSWD", "api-key", "apiKey", "APIKey", "secret", "token"),
        *("githubToken", "GITHUB_TOKEN", "aws:secretKey", "credentials", "client_secret", "auth"),
    ],
)
def test_a_key_that_names_a_secret_hides_its_value(name: str) -> None:
    assert secret_name(name)
    problem = Problem(path=("a", name), value=SECRET, rule="r", fix="f")
    assert problem.found == HIDDEN
    assert SECRET not in str(problem)


@pytest.mark.parametrize(
    "name", ["memory", "monkey", "keyboard", "author", "compass", "kubeconfig", "passenger", "disk"]
)
def test_a_key_that_only_sounds_like_one_does_not(name: str) -> None:
    assert not secret_name(name)


@pytest.mark.parametrize(
    "value",
    [
        "ghp_" + "a1B2" * 9,
        "github_pat_11AAAA",
        "glpat-abcdef",
        "sk-ant-api03-xyz",
        "xoxb-123-456",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.e30.abc",
        "pul-0123456789abcdef",
        "https://me:hunter2@example.org/",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
        "v1:fc0ZATpQhZc=:v1:bIKB",
        "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
    ],
)
def test_a_value_that_looks_like_a_secret_is_hidden_under_any_key(value: str) -> None:
    assert secret_text(value)
    assert shown(value, path=("memory",)) == HIDDEN
    with pytest.raises(SettingsError) as caught:
        load_value(good({"pools.shared.memory": value, "tenants.acme.tier": value}), "here")
    assert value not in str(caught.value)
    assert value[:12] not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["4Gb", "gvisr", "a" * 50, "~/.kube/config", "https://example.org"]
)
def test_an_ordinary_value_is_shown(value: str) -> None:
    assert shown(value, path=("memory",)) == f'"{value}"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "a mapping with 0 keys"),
        ({"password": SECRET}, "a mapping with 1 key"),
        ([SECRET], "a list of 1"),
        (None, "null (nothing is written there)"),
        (False, "false"),
        (3, "3"),
        (10**99, "a number of more than 60 digits"),
        (2.5, "2.5"),
        (b"abc", "a bytes"),
        ("a\x1b[31m", "'a\\x1b[31m'"),
        ("\ud800", "'\\ud800'"),
        ("b" * 1000, '"' + "b" * 60 + '…"'),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isprintable() else "",
)
def test_a_value_is_shown_in_a_few_printable_words(value: object, text: str) -> None:
    assert shown(value, path=("memory",)) == text


def test_what_is_missing_is_shown_as_nothing() -> None:
    assert Problem(path=("token",), value=MISSING, rule="r", fix="f").found == "nothing"


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize(
    "text",
    [
        f"pin: {SECRET}\n",
        f"config:\n  aws:region: {SECRET}\n",
        f"config:\n  corral:settings:\n    pin: {SECRET}\n",
        f"config:\n  corral:settings:\n    dbPassword: {SECRET}\n",
        f"config:\n  corral:settings:\n    pools: {{a: {{pin: {SECRET}}}}}\n",
        f"config:\n  corral:settings:\n    pools: {{secure: {SECRET}}}\n",
        f"config:\n  corral:settings:\n    token: !{SECRET} x\n",
        f"config:\n  corral:settings:\n    token: *{SECRET}\n",
        f"config:\n  corral:settings:\n    token: !{SECRET}!x y\n",
        f"config:\n  corral:settings:\n    token: '{SECRET}\n",
        f"config:\n  corral:settings:\n    token: @{SECRET}\n",
        f"config:\n  corral:settings:\n    token: {SECRET}: a\n",
        f"config:\n  corral:settings:\n    pin: {SECRET}\n    pin: {SECRET}\n",
        SECRET,
    ],
)
def test_a_secret_that_was_typed_where_none_belongs_is_not_repeated(
    text: str, loader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "_LOADER", getattr(yaml, loader))
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_stack_file(path)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr([problem.rule + problem.fix for problem in caught.value.problems])
