"""Builds a program from its pinned module in `tools/`."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO

from corral.embedded.cluster.errors import ClusterError
from corral.embedded.cluster.pins import Pin
from corral.embedded.cluster.progress import Progress, clock
from corral.embedded.cluster.toolchain import Go, go_environment

_SHOW_EVERY = 5.0
_LAST_LINES = 12


def build(pin: Pin, *, go: Go, tools: Path, target: Path, what: str, progress: Progress) -> None:
    """Puts the program at `target`. Raises ClusterError with Go's own words.

    Go keeps what it has compiled: a build that was interrupted goes on where it was.
    """
    command: list[str | Path] = [
        *(go.command, "build", "-trimpath", "-buildvcs=false", "-v"),
        *("-tags", ",".join(pin.tags), "-ldflags", pin.ldflags, "-o", target, pin.package),
    ]
    begun = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=tools / pin.module,
        env=go_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stderr is not None  # noqa: S101  # asked for just above
        output = _Output(child.stderr)
        try:
            while not _ended(child):
                elapsed = clock(time.monotonic() - begun)
                progress.step(what, f"{elapsed}, {output.so_far}; {_expectation(pin)}")
        except BaseException:
            child.terminate()
            raise
        output.join()
    if child.returncode:
        said = "\n".join(f"    {line}" for line in output.last)
        raise ClusterError(f"Building {pin.name} {pin.version} with {go} failed:\n{said}")


class _Output:
    """Reads what `go build -v` says: modules that it downloads, then packages as they are done."""

    def __init__(self, stream: IO[str]) -> None:
        self.last: deque[str] = deque(maxlen=_LAST_LINES)
        self._downloaded = self._compiled = 0
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    @property
    def so_far(self) -> str:
        """How far it is."""
        if self._compiled:
            return f"{self._compiled} packages compiled"
        return f"{self._downloaded} modules downloaded" if self._downloaded else "looking"

    def join(self) -> None:
        """Waits for the end of the output."""
        self._reader.join()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.last.append(line.rstrip())
            if line.startswith("go: downloading "):
                self._downloaded += 1
            elif "/" in line and " " not in line:
                self._compiled += 1


def _ended(child: subprocess.Popen[str]) -> bool:
    try:
        child.wait(timeout=_SHOW_EVERY)
    except subprocess.TimeoutExpired:
        return False
    return True


def _expectation(pin: Pin) -> str:
    if pin.minutes < 1:
        return "usually under a minute"
    return f"up to about {pin.minutes + 0.5:.0f} min on two cores, the first time"
