"""The stack's session in a real gVisor, read by the real reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.warden.seccheck.sandboxes import Node, metrics, reader

AGENT = str(Path(__file__).with_name("agent.py"))

ATTACKS: dict[str, dict[str, object]] = {
    "shadow-file-read": {"gvisor.path": "/etc/shadow", "proc.name": "cat"},
    "account-file-written": {"gvisor.path": "/etc/passwd"},
    "root-home-opened": {"gvisor.path": "/root"},
    "credential-read": {"gvisor.path": "/tmp/home/.aws/credentials"},
    "credential-sought": {"gvisor.opened": False},
    "metadata-contacted": {"gvisor.address": "169.254.169.254"},
    "control-plane-contacted": {"gvisor.port": 10250},
    "unusual-destination": {"gvisor.port": 22},
    "container-socket-contacted": {"gvisor.socket": "/run/containerd/containerd.sock"},
    "namespace-changed": {"gvisor.syscall": "unshare"},
    "kernel-touched": {"gvisor.syscall": "init_module"},
    "process-traced": {"gvisor.request": "PTRACE_ATTACH"},
}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with reader(tmp_path_factory.mktemp("a")) as node:
        done = node.run("python3", AGENT, "attack")
        assert done.returncode == 0, done.stderr
        yield node


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_in_a_sandbox_is_told(attacked: Node, name: str) -> None:
    told = [each for each in attacked.detections() if each["rule"] == f"corral {name}"]
    assert told, f"{name} did not fire"
    fields = [each["output_fields"] for each in told]
    assert any(ATTACKS[name].items() <= each.items() for each in fields), fields


def test_a_relative_path_is_told_whole(attacked: Node) -> None:
    paths = {each["output_fields"].get("gvisor.path") for each in attacked.detections()}
    assert "/etc/gshadow" in paths, "it was opened as ../etc/./gshadow in /etc"


def test_each_attack_is_counted(attacked: Node) -> None:
    counted = metrics(attacked)
    for each in attacked.detections():
        name, priority = each["rule"].removeprefix("corral "), each["priority"].lower()
        labels = f'detection="{name}",namespace="",priority="{priority}"'
        assert counted[f"corral_seccheck_detections_total{{{labels}}}"] >= 1
    assert counted["corral_seccheck_dropped_events_total"] == 0


def test_work_is_silent(tmp_path: Path) -> None:
    with reader(tmp_path) as node:
        done = node.run("python3", AGENT, "work")
        assert "built" in done.stdout, done.stderr
        assert "late" in done.stdout, "a shell whose parent is gone is no stranger's"
        alerts = [each for each in node.detections() if "counted" not in each["tags"]]
        read = metrics(node)
    assert alerts == []
    assert read['corral_seccheck_events_total{event="exec"}'] > 20
    assert read['corral_seccheck_events_total{event="open"}'] > 200


def test_a_shell_that_no_tool_runner_started_is_told(tmp_path: Path) -> None:
    with reader(tmp_path) as node:
        node.run("awk", 'BEGIN { system("echo hi"); "id" | getline x }')
        rules = [each["rule"] for each in node.detections()]
    assert "corral shell-outside-tool-runner" in rules
    assert "corral shell-by-unusual-program" in rules


def test_a_sandbox_starts_where_nobody_reads(tmp_path: Path) -> None:
    with reader(tmp_path) as node:
        done = node.run("echo", "works", socket=tmp_path / "nobody")
        assert done.stdout == "works\n", "a reader that is down must not stop work"
        assert metrics(node)["corral_seccheck_connected_sandboxes"] == 0


def test_no_environment_and_no_arguments_are_told(tmp_path: Path) -> None:
    with reader(tmp_path) as node:
        node.run("env", "KEY=hunter2", "awk", 'BEGIN { system("true hunter3") }')
        text = node.told.read_text(encoding="utf-8")
    assert "shell-outside-tool-runner" in text
    assert "hunter" not in text
