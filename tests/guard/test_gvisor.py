"""In a real gVisor sandbox: its own kernel, its own /proc, its own locks and sockets."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from corral_guard.document import together
from tests.guard.test_pod import PACKAGE, WAIT, answers, free_port, pod
from tests.project_copy import ROOT

SECONDS = 300
WITHIN = ["test_calls.py", "test_pod.py", "test_surroundings.py"]
AGENT = """
import sys, corral_guard
corral_guard.start(directory="/tmp", listen=f"127.0.0.1:{sys.argv[1]}", interval=0.1)
with corral_guard.busy(), corral_guard.watch("fill", max_growth="16MiB"):
    kept = b"x" * (32 << 20)
    sys.stdin.read()
"""


def sandbox(*command: str, network: str) -> list[str]:
    """Its command line. Skipped without runsc."""
    runsc = shutil.which("runsc")
    if runsc is None:
        pytest.skip("no runsc on PATH: the guard in gVisor is not proven here")
    flags = ["--rootless", f"--network={network}", "--platform=systrap"]
    environment = ["env", "HOME=/tmp", f"PYTHONPATH={PACKAGE}", sys.executable]
    return [runsc, *flags, "do", *environment, *command]


def test_all_that_holds_of_calls_pods_and_surroundings_holds_in_gvisor() -> None:
    here = Path(__file__).parent
    done = subprocess.run(
        sandbox(
            *("-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(str(here / name) for name in WITHIN),
            network="none",
        ),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout


def test_a_status_is_read_from_outside_of_the_sandbox() -> None:
    port = free_port()
    # The host's network: a netstack of its own would take iptables to be reached.
    with subprocess.Popen(
        sandbox("-c", AGENT, str(port), network="host"), stdin=subprocess.PIPE
    ) as started:
        try:
            end = time.monotonic() + WAIT
            while not (answers(port) and pod(port).processes[0].growths):
                assert started.poll() is None and time.monotonic() < end, "it never answered"
                time.sleep(0.1)
            found = pod(port)
            assert together(found).phase == "busy"
            (growth,) = found.processes[0].growths
            assert growth.call == "fill" and growth.bytes > 16 << 20 and not growth.finished
        finally:
            assert started.stdin is not None
            started.stdin.close()
            started.wait(WAIT)
