"""`corral network`, as a person meets it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import yaml

from tests.project_copy import corral

TENANT = ("--tenant", "acme")


@pytest.fixture
def listed(project: Path) -> Path:
    """A project whose tenant acme has a list."""
    file = project / "stacks" / "Pulumi.local.yaml"
    document = yaml.safe_load(file.read_text())
    settings = document["config"]["corral:settings"]
    settings["network"] = {"egress": {"dns": ["9.9.9.9"]}}
    key = {"methods": ["POST"], "paths": ["/v1/"], "credential": {"secret": "openai"}}
    allow = [{"host": "api.github.com"}, {"host": "api.openai.com", "inspect": key}]
    settings["tenants"]["acme"]["egress"] = {"number": 1, "allow": allow}
    file.write_text(yaml.safe_dump(document))
    return project


def test_what_is_reached_is_told_with_walls_and_risks(listed: Path) -> None:
    result = corral(listed, "network", "explain", "local", *TENANT, "--to", "api.github.com")
    assert result.returncode == 0, result.stderr
    assert "api.github.com:443 for sandboxes of acme: reachable" in result.stdout
    for words in ("by name, TLS on 443: open", "by proxy", "same name", "what stays a risk"):
        assert words in result.stdout
    assert "\x1b" not in result.stdout, "colour in a pipe"
    assert "nothing runs on the embedded cluster" in result.stderr


def test_what_is_refused_has_an_exit_code_of_its_own(listed: Path) -> None:
    asked = ("network", "explain", "local", *TENANT, "--to", "evil.example.org", "--json")
    result = corral(listed, *asked)
    assert result.returncode == 5, result.stderr
    told = orjson.loads(result.stdout)
    assert told["reachable"] is False
    assert [way["walls"][-1]["name"] for way in told["ways"]] == ["resolver", "decision"]
    assert "add {host: evil.example.org}" in told["advice"]


def test_a_request_is_judged_and_no_value_of_a_credential_is_known(listed: Path) -> None:
    asked = ("network", "explain", "local", *TENANT, "--to", "api.openai.com", "--json")
    told = orjson.loads(corral(listed, *asked, "--method", "post", "--path", "/v1/chat").stdout)
    assert told["reachable"] is True
    assert told["requests"] == [{"methods": ["POST"], "prefix": "/v1/"}]
    [credential] = {
        wall["rule"]
        for way in told["ways"]
        for wall in way["walls"]
        if wall["name"] == "credential"
    }
    assert credential == "openai"
    assert corral(listed, *asked, "--method", "get", "--path", "/v1/chat").returncode == 5


WRONG = [
    (["--tenant", "nobody", "--to", "a.org"], "stack local has no such tenant"),
    ([*TENANT, "--to", "https://a.org/x"], "a page, not a host"),
    ([*TENANT, "--to", "a.org:99999"], "a port is a number from 1 to 65535"),
    ([*TENANT, "--to", "a org"], "that is no host"),
    ([*TENANT, "--to", "a.org", "--method", "BREW"], "one of GET"),
    ([*TENANT, "--to", "a.org", "--path", "v1"], "a path begins with /"),
    ([*TENANT, "--to", "a.org", "--resolves-to", "b.org"], "is no address"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG)
def test_bad_input_says_what_to_write(project: Path, arguments: list[str], words: str) -> None:
    result = corral(project, "network", "explain", "local", *arguments)
    assert result.returncode == 2, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_the_embedded_cluster_is_not_tested_and_it_says_so(project: Path) -> None:
    result = corral(project, "network", "test", "local")
    assert result.returncode == 2
    assert "nothing was tested" in result.stderr
    assert not result.stdout


def test_help_has_examples(project: Path) -> None:
    for command, words in (
        ("explain", "corral network explain prod"),
        ("test", "corral network test prod"),
    ):
        result = corral(project, "network", command, "--help")
        assert words in " ".join(result.stdout.split())
