"""Processes that outlive the command that started them, and how to be sure which they are.

A pid alone proves nothing: it is given again to somebody else's process. A process is ours only
while its start time, in ticks since the machine came up, is the one that was written down.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from corral.embedded.cluster.files import PRIVATE_FILE, read_object, write_private_json

CLUSTER_MARK = "CORRAL_EMBEDDED_CLUSTER"
"""Environment variable that every process of ours carries; its value is the state folder."""

_PROC = Path("/proc")
_BOOT = _PROC / "sys/kernel/random/boot_id"
_START_TIME = 19  # field 22 of /proc/PID/stat, counted from 0 after the name in parentheses
_DEAD = "ZX"
_POLL = 0.02

# A child that ended stays a zombie until its parent, this interpreter, asks for its exit code.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is written down about a process that was started."""

    pid: int
    ticks: int
    """When it started, in clock ticks since the machine came up."""
    boot: str
    """Which coming-up of the machine that was."""
    since: float
    """When it started, in seconds since 1970."""
    version: str
    fingerprint: str
    """Of its command line and of the files that it reads at start."""

    @property
    def alive(self) -> bool:
        """Whether just this process still runs."""
        return self.boot == boot_id() and start_ticks(self.pid) == self.ticks

    def write(self, path: Path) -> None:
        """Writes it down."""
        write_private_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """None where nothing, or nothing whole, is written there."""
        match read_object(path):
            case {
                "pid": int(pid),
                "ticks": int(ticks),
                "boot": str(boot),
                "since": float(since),
                "version": str(version),
                "fingerprint": str(fingerprint),
            }:
                return cls(
                    pid=pid,
                    ticks=ticks,
                    boot=boot,
                    since=since,
                    version=version,
                    fingerprint=fingerprint,
                )
        return None


def boot_id() -> str:
    """Changes each time the machine comes up."""
    return _BOOT.read_text(encoding="ascii").strip()


def start_ticks(pid: int) -> int | None:
    """When the process of that pid started; None where there is none, or one that has ended."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces and parentheses
    return None if fields[0] in _DEAD else int(fields[_START_TIME])


def spawn(command: Sequence[str | Path], *, log: Path, mark: Path, folder: Path) -> tuple[int, int]:
    """Starts a process in a session of its own and returns its pid and start ticks.

    Its environment is bare: no proxy settings, no credentials and no home of the caller's.
    Ticks are 0 if it ended at once.
    """
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        CLUSTER_MARK: str(mark),
    }
    private = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
    with os.fdopen(private, "ab") as output:
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            start_new_session=True,
            umask=0o077,
        )
    _children[child.pid] = child
    return child.pid, start_ticks(child.pid) or 0


def ending(pid: int) -> str:
    """How a child of ours ended, for a message: `with exit code 1`, `by SIGKILL`, or ``."""
    child = _children.get(pid)
    code = child.poll() if child else None
    if code is None:
        return "unexpectedly"
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def marked(mark: Path) -> Iterator[tuple[int, int]]:
    """Pid and start ticks of every running process that was started for the state folder `mark`,
    written down or not.

    Finds what a record no longer tells: the folder was removed, or the command was killed between
    starting a process and writing it down.
    """
    wanted = f"{CLUSTER_MARK}={mark}".encode()
    for entry in _PROC.iterdir():
        if not entry.name.isdigit() or (ticks := start_ticks(int(entry.name))) is None:
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:  # it has ended, or it is somebody else's
            continue
        if wanted in environment.split(b"\0"):
            yield int(entry.name), ticks


def end(processes: Mapping[int, int], *, patience: float) -> None:
    """Ends processes, given as pid and start ticks: SIGTERM, then SIGKILL after `patience` seconds.

    All at once. One that has ended, or whose pid is another process by now, is left alone.
    """
    with contextlib.ExitStack() as handles:
        running = {
            pid: handle
            for pid, ticks in processes.items()
            if (handle := _handle(pid, ticks, handles)) is not None
        }
        for kind, bound in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
            for handle in running.values():
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, kind)
            _await_end(running, processes, bound)


def _handle(pid: int, ticks: int, handles: contextlib.ExitStack) -> int | None:
    """A descriptor that stays with the process even if its pid is given again."""
    try:
        handle = os.pidfd_open(pid)
    except (ProcessLookupError, OSError):
        return None
    handles.callback(os.close, handle)
    # Asked after opening: from here on the descriptor can't come to mean another process.
    return handle if start_ticks(pid) == ticks else None


def _await_end(running: dict[int, int], processes: Mapping[int, int], bound: float) -> None:
    deadline = time.monotonic() + bound
    while running and time.monotonic() < deadline:
        for pid in list(running):
            if start_ticks(pid) != processes[pid]:
                reap(pid)
                del running[pid]
        if running:
            time.sleep(_POLL)


def reap(pid: int) -> None:
    """Takes the exit code of a child that ended, so that it doesn't stay a zombie."""
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]
