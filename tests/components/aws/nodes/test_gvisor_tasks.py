"""What the processes of a gVisor sandbox are on its node: the figure that its limit is made of."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from corral.settings.tiers import RUNTIMES

MANY = 100


def tasks_below(pid: int) -> int:
    """Threads of all processes below that one, which isn't counted."""
    return sum(
        len([*Path(f"/proc/{child}/task").iterdir()]) + tasks_below(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in map(int, (task / "children").read_text().split())
    )


@pytest.fixture
def tasks(tmp_path: Path) -> Iterator[int]:
    """Tasks on this node of a sandbox with that many sleeping processes."""
    runsc = shutil.which("runsc")
    if runsc is None or os.geteuid() != 0:
        pytest.skip("no runsc on PATH, or nobody who may run it: gVisor's tasks aren't counted")
    many = f"for i in $(seq {MANY}); do sleep 600 & done; echo all; wait"
    sandbox = [runsc, "--root", str(tmp_path), "--platform=systrap", "--network=none"]
    with subprocess.Popen(
        [*sandbox, "--ignore-cgroups", "do", "--force-overlay=false", "sh", "-c", many],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline().strip() == "all"
            yield tasks_below(child.pid)
        finally:
            child.terminate()


def test_the_nodes_limit_holds_that_many_processes_of_a_sandbox_and_not_twice_as_many(
    tasks: int,
) -> None:
    gvisor = RUNTIMES["gvisor"]
    assert MANY < tasks <= gvisor.host_tasks(MANY) < 2 * tasks
