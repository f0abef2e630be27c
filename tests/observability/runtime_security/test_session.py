"""gVisor's trace session: points that there are, numbers that Linux has, nothing too much."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from components.observability.runtime_security.detections import Event
from components.observability.runtime_security.seccheck import (
    MACHINES,
    SYSCALLS,
    reader_document,
    session,
    session_file,
)
from tests.observability.runtime_security.cases import CLASSES, DETECTIONS

HEADERS = {
    "amd64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "arm64": Path("/usr/include/asm-generic/unistd.h"),
}
POINTS = {
    Event.EXEC: "sentry/execve",
    Event.OPEN: "syscall/openat/exit",
    Event.CONNECT: "syscall/connect/enter",
    Event.UNIX: "syscall/connect/enter",
    Event.PTRACE: "syscall/ptrace/enter",
}


def names(architecture: str) -> list[str]:
    return [point["name"] for point in session(architecture)["points"]]


def test_every_point_is_one_that_a_real_runsc_has() -> None:
    runsc = shutil.which("runsc")
    if runsc is None:
        pytest.skip("no runsc on PATH: points are not proven here")
    told = subprocess.run(
        [runsc, "trace", "metadata"], capture_output=True, text=True, check=True
    ).stdout
    there = dict(re.findall(r"Name: (\S+), optional fields: \[(.*?)\]", told))
    for point in session("amd64")["points"]:
        assert point["name"] in there
        assert {*point.get("optional_fields", ())} <= {*there[point["name"]].split("|")}


@pytest.mark.parametrize("architecture", HEADERS)
def test_numbers_of_system_calls_are_those_of_linux(architecture: str) -> None:
    header = HEADERS[architecture]
    if not header.is_file():
        pytest.skip(f"no {header}: numbers are not compared here")
    text = header.read_text(encoding="utf-8")
    numbers = {name: int(n) for name, n in re.findall(r"__NR3?264_?(\w+) (\d+)", text)}
    numbers |= {name: int(n) for name, n in re.findall(r"#define __NR_(\w+) (\d+)", text)}
    assert SYSCALLS[architecture].items() <= numbers.items()


def test_every_kind_of_event_that_is_watched_for_is_told() -> None:
    for detection in DETECTIONS.values():
        for architecture, numbers in SYSCALLS.items():
            points = names(architecture)
            if detection.event is not Event.SYSCALL:
                assert POINTS[detection.event] in points
                continue
            for call in detection.calls:
                if call in numbers:
                    assert f"syscall/sysno/{numbers[call]}/enter" in points
                else:
                    assert call in ("clone", "clone3", "umount"), "told by the sentry, or not there"


def test_no_point_tells_what_nobody_asks_for() -> None:
    for architecture in SYSCALLS:
        told = names(architecture)
        assert len(told) == len(set(told))
        assert not any("read/" in name or "write/" in name for name in told), "too many by far"
        for point in session(architecture)["points"]:
            assert "env" not in point.get("optional_fields", ())
            assert "envv" not in point.get("optional_fields", ())


def test_the_session_is_small_enough_for_user_data() -> None:
    for architecture in SYSCALLS:
        assert len(session_file(architecture)) < 5 * 1024


def test_the_reader_knows_numbers_of_both_machines() -> None:
    told = reader_document([*DETECTIONS.values()], CLASSES)["syscalls"]
    assert told.keys() == set(MACHINES.values())
    assert all("unshare" in numbers for numbers in told.values())


def test_tool_runners_are_those_of_all_classes_of_the_tier_together() -> None:
    told = reader_document([*DETECTIONS.values()], frozenset({"worker", "builder"}))
    assert "codex" in str(told)
    assert "codex" not in str(reader_document([*DETECTIONS.values()], CLASSES))
