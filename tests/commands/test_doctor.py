"""`corral doctor` as a person and as CI run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project_copy import ROOT, corral

NOBODY = {
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCESS_KEY_ID": "",
    "AWS_SECRET_ACCESS_KEY": "",
    "https_proxy": "http://127.0.0.1:1",
    "HTTPS_PROXY": "http://127.0.0.1:1",
}
"""No way into any account, nor to any registry."""


@pytest.fixture(autouse=True)
def no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have one."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def test_json_says_of_each_finding_what_why_and_what_to_do_and_ci_sees_failures(
    project: Path,
) -> None:
    result = corral(project, "doctor", "dev", "--json", environment=NOBODY)
    assert result.returncode == 1, result.stderr
    document = json.loads(result.stdout)
    assert document["ok"] is False
    assert all(set(one) == {"grade", "what", "why", "fix"} for one in document["findings"])
    for one in document["findings"]:
        assert bool(one["why"]) == bool(one["fix"]) == (one["grade"] != "ok")
    [failed] = [one for one in document["findings"] if one["grade"] == "failure"]
    assert "no credentials for AWS" in failed["what"]
    [reach] = [one for one in document["findings"] if "will answer in its network" in one["what"]]
    assert "10.40.0.0/16" in reach["what"]
    assert "cluster.public-access" in reach["fix"]
    assert not (project / ".corral").exists(), "a doctor leaves nothing behind"


def test_a_person_sees_the_same_and_a_count(project: Path) -> None:
    result = corral(project, "doctor", "dev", environment=NOBODY)
    assert result.returncode == 1, result.stderr
    assert "FAILURE no credentials for AWS" in result.stdout
    assert "         fix: " in result.stdout
    assert result.stdout.rstrip().splitlines()[-1].endswith("1 failures")
    assert "Traceback" not in result.stdout + result.stderr


def test_an_account_s_endpoints_lead_to_whoever_stands_there(project: Path) -> None:
    """Nobody does, and nobody else is asked."""
    file = project / "stacks" / "Pulumi.dev.yaml"
    text = file.read_text(encoding="utf-8")
    endpoints = 'endpoints: { sts: "http://127.0.0.1:1", ec2: "http://127.0.0.1:1" }'
    file.write_text(
        text.replace("    aws:\n", f"    aws:\n      {endpoints}\n", 1), encoding="utf-8"
    )
    keys = {**NOBODY, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "the-secret-key"}
    result = corral(project, "doctor", "dev", environment=keys)
    assert result.returncode == 1, result.stderr
    assert "http://127.0.0.1:1" in result.stdout
    assert "the-secret-key" not in result.stdout + result.stderr


def test_no_command_loads_botocore_before_it_asks_aws() -> None:
    code = "import sys, corral.commands.main; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0
