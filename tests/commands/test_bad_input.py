"""Bad input gets a clear error: what, where, the rule, the fix; never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project_copy import corral

BAD_STACK_FILES = [
    # (what is changed in stacks/Pulumi.local.yaml, to what, what the screen must say)
    ("tier: gvisor, nodes", "tier: gvizor, nodes", ["pools.sandboxed.tier", "gvizor", "gvisor"]),
    ("memory: 8Gi", "memory: 80Gi", ["classes.worker.limits.memory", "80Gi", "8Gi"]),
    ("memory: 8Gi", "memory: 8G", ["classes.worker.limits.memory", "8G", "4Gi"]),
    ("judge: 10", "juge: 10", ["tenants.trusted-ci.agents", "juge", "judge"]),
    ("kind: embedded", "kind: embeded", ["cluster", "embeded", "embedded"]),
    ("config:", "config", ["Pulumi.local.yaml"]),
]


@pytest.mark.parametrize(("old", "new", "said"), BAD_STACK_FILES)
@pytest.mark.parametrize("command", ["plan --offline", "check", "up", "doctor"])
def test_a_wrong_stack_file_is_explained_by_every_command(
    project: Path, command: str, old: str, new: str, said: list[str]
) -> None:
    file = project / "stacks" / "Pulumi.local.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text, "the case no longer changes anything"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    name, *options = command.split()

    result = corral(project, name, "local", *options)

    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    for fragment in said:
        assert fragment in result.stderr, result.stderr
    assert not (project / ".corral").exists(), "nothing half done"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plan", "locla", "--offline"], ["locla", "local"]),
        (["up", "local", "--kubeconfig", "x"], ["--context"]),
        (["up", "local", "--context", "x"], ["--kubeconfig"]),
        (["up", "local", "--kubeconfig", "absent", "--context", "x"], ["absent", "no such file"]),
        (
            ["up", "local", "--engine", "pulumi", "--kubeconfig", "x", "--context", "x"],
            ["stack file", "--engine embedded"],
        ),
        (["-C", "absent", "status", "local"], ["absent"]),
        (["up", "local", "--engine", "magic"], ["magic", "embedded", "pulumi"]),
        (["up", "local", "--workers", "0"], ["--workers"]),
        (["up"], ["STACK"]),
        (["fly"], ["fly"]),
    ],
)
def test_a_wrong_argument_is_explained(
    project: Path, arguments: list[str], said: list[str]
) -> None:
    result = corral(project, *arguments)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    for fragment in said:
        assert fragment in result.stderr, result.stderr


def test_outside_a_project_it_says_where_to_go(tmp_path: Path) -> None:
    result = corral(tmp_path, "plan", "local", "--offline")
    assert result.returncode == 2
    assert "No Pulumi.yaml" in result.stderr
    assert "-C FOLDER" in result.stderr


def test_planning_against_a_cluster_that_is_not_running_says_how_to_go_on(project: Path) -> None:
    result = corral(project, "plan", "local")
    assert result.returncode == 2
    assert "not running" in result.stderr
    assert "--offline" in result.stderr


@pytest.mark.parametrize("command", ["up", "plan", "destroy", "status", "doctor", "check"])
def test_help_has_an_example(project: Path, command: str) -> None:
    result = corral(project, command, "--help")
    assert result.returncode == 0
    assert f"corral {command} " in result.stdout


def test_output_in_a_pipe_has_no_colour(project: Path) -> None:
    result = corral(project, "plan", "local", "--offline")
    assert result.returncode == 0, result.stderr
    assert "\x1b[" not in result.stdout + result.stderr
