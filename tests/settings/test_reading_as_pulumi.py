"""A stack file read here and read by Pulumi are the same settings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from corral.settings.document import read_document
from corral.settings.loading import load_stack_file, load_value
from corral.settings.scalars import AmbiguousError, Scalar, plain_scalar
from corral.settings.schema import FILE as SCHEMA_FILE

STACKS = sorted(SCHEMA_FILE.parent.glob("Pulumi.*.yaml"))

# Recorded on 2026-11-23 from `pulumi config --json` 3.260.0: what an unquoted scalar in an object
# comes to in the program.
AS_PULUMI: dict[str, Scalar] = {
    **{word: word for word in ("yes", "no", "on", "off", "y", "n", "tRue", "=", "_1", "0x1p-2")},
    **{"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False},
    **{"": None, "~": None, "null": None, "Null": None, "NULL": None},
    **{"0": 0, "-0": 0, "+3": 3, "1.5": 1.5, "2.0": 2, "1e3": 1000, ".5": 0.5, "1.": 1, "+.5": 0.5},
    **{"0.1e1": 1, "0.30": 0.3, "1.0e+2": 100, "1.e+3": 1000, "1e21": 1e21},
}
# Recorded in the same run: what Pulumi makes of them, and other readers don't.
REFUSED = {
    **{"1_000": 1000, "1__0": 10, "1_0.5": 10.5, "1e5_0": 1e50, "0x10": 16, "0x_10": 16},
    **{"010": 8, "-010": -8, "08": 8, "099": 99, "0o10": 8, "0b11": 3, "-0b11": -3, "0b_1": 1},
    **{"12:30:45": "12:30:45", "1e400": "1e400", "18446744073709551616": 18446744073709552000},
    **{"2026-01-02": "2026-01-02 00:00:00 +0000 UTC", "2026-13-45": "2026-13-45"},
    **{"2026-01-02T03:04:05Z": "2026-01-02 03:04:05 +0000 UTC", ".inf": None, ".nan": None},
}


@pytest.mark.parametrize(("text", "value"), AS_PULUMI.items(), ids=AS_PULUMI)
def test_an_unquoted_scalar_means_what_it_means_to_pulumi(text: str, value: Scalar) -> None:
    found = plain_scalar(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("text", REFUSED)
def test_a_scalar_that_readers_disagree_on_is_refused(text: str) -> None:
    with pytest.raises(AmbiguousError):
        plain_scalar(text)
    (problem,) = read_document(f"a: {text}".encode()).problems
    assert problem.path == ("a",)
    assert read_document(f"a: '{text}'".encode()).value == {"a": text}, "in quotes it is text"


@pytest.mark.parametrize(
    "text", ["e5", "1.2.3", "10.0.0.1", "v1", "1-2", "0x", "1e", ".", "-", "+"]
)
def test_words_that_begin_like_numbers_are_words(text: str) -> None:
    assert plain_scalar(text) == text


TRICKY = """config:
  corral:settings:
    cluster: { kind: existing, kubeconfig: "~/.kube/config", context: "010" }
    pools:
      shared: &shared { tier: gvisor, nodes: 2.0, cpu: 1.5e1, memory: 60Gi, disk: 200Gi }
      more:
        <<: *shared
        nodes: +3
      arm: { <<: [{ architecture: arm64 }, *shared], "cpu": "15500m" }
    classes:
      on: { tier: gvisor, limits: { cpu: 2.500, memory: 4Gi }, runtime: ~ }
    tenants:
      no: { tier: gvisor, agents: { on: 1 }, readers: [yes, "1", '2026-01-02'] }
"""


@pytest.mark.engine
def test_pulumi_itself_hands_over_what_is_read_here(tmp_path: Path) -> None:
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        pytest.skip("no Pulumi CLI on PATH")
    environment = {
        **os.environ,
        "PULUMI_BACKEND_URL": tmp_path.as_uri(),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }

    def run(*arguments: str) -> str:
        return subprocess.run(
            [pulumi, *arguments, "--cwd", str(tmp_path), "--non-interactive"],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    (tmp_path / "Pulumi.yaml").write_text("name: corral\nruntime: python\nstackConfigDir: stacks\n")
    tricky = tmp_path / "tricky.yaml"
    tricky.write_text(TRICKY)
    for number, source in enumerate([*STACKS, tricky]):
        stack = f"stack{number}"
        run("stack", "init", stack)
        file = tmp_path / "stacks" / f"Pulumi.{stack}.yaml"
        file.write_text(file.read_text() + source.read_text())
        handed_over = json.loads(run("config", "--json", "--stack", stack))
        value = json.loads(handed_over["corral:settings"]["value"])
        assert load_value(value, stack) == load_stack_file(file), source.name
