"""Real gVisor sandboxes whose trace session ends at a real reader."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.observability.runtime_security import programs
from components.observability.runtime_security.detections import Watch, detections
from components.observability.runtime_security.seccheck import reader_document, session

ROOT = Path(__file__).parents[3]
WATCH = Watch(tool_runners={"worker": programs.TOOL_RUNNERS}, ports=(53, 80, 443, 3128))
CLASSES = frozenset({"worker"})
SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Node:
    """A folder in which a reader listens, and the URL of its metrics."""

    folder: Path
    socket: Path
    url: str
    told: Path

    def run(self, *command: str, socket: Path | None = None) -> subprocess.CompletedProcess[str]:
        """One sandbox, with the stack's session, to its end."""
        trace = session("amd64")
        trace["sinks"][0]["config"]["endpoint"] = str(socket or self.socket)
        told = self.folder / "session.json"
        told.write_text(json.dumps({"trace_session": trace}), encoding="utf-8")
        flags = ["--rootless", "--network=none", "--platform=systrap", f"--pod-init-config={told}"]
        runsc = shutil.which("runsc")
        assert runsc is not None
        return subprocess.run(
            [runsc, *flags, "do", *command],
            env={"PATH": "/usr/bin:/bin", "HOME": "/tmp/home"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def detections(self) -> list[dict[str, Any]]:
        """What the reader told until now."""
        return [json.loads(line) for line in self.told.read_text(encoding="utf-8").splitlines()]


@contextlib.contextmanager
def reader(folder: Path) -> Iterator[Node]:
    """`python -m warden.seccheck`, for as long as it is needed. Skipped without runsc."""
    if shutil.which("runsc") is None:
        pytest.skip("no runsc on PATH: detections in gVisor are not proven here")
    watched = folder / "detections.json"
    watched.write_text(json.dumps(reader_document(detections(WATCH), CLASSES)), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    node = Node(
        folder=folder,
        socket=folder / "s",
        url=f"http://127.0.0.1:{port}",
        told=folder / "told.jsonl",
    )
    command = [sys.executable, "-m", "warden.seccheck", "--detections", str(watched)]
    command += ["--socket", str(node.socket), "--logs", str(folder / "logs")]
    command += ["--machine", "x86_64", "--address", "127.0.0.1", "--port", str(port)]
    with node.told.open("w", encoding="utf-8") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=err,
            env={**os.environ, "PYTHONPATH": str(ROOT / "warden")},
        )
        try:
            _until_ready(node, process)
            yield node
        finally:
            process.terminate()
            process.wait(SECONDS)


def _until_ready(node: Node, process: subprocess.Popen[bytes]) -> None:
    import urllib3  # noqa: PLC0415 - where no runsc is, nothing is asked

    retries = urllib3.Retry(total=12, backoff_factor=0.1, status_forcelist=[503])
    with urllib3.PoolManager() as pool:
        pool.request("GET", f"{node.url}/ready", retries=retries)
    assert process.poll() is None, (node.folder / "err").read_text(encoding="utf-8")


def metrics(node: Node) -> dict[str, float]:
    """What the reader counts, by name and labels."""
    import urllib3  # noqa: PLC0415

    with urllib3.PoolManager() as pool:
        text = pool.request("GET", f"{node.url}/metrics").data.decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}
