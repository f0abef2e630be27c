"""One at a time, and who it is."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from corral.embedded.cluster.files import PRIVATE_FILE, read_object, write_private_json

# The kernel lets go of the lock when its holder ends, however it ends: a lock is never stale.
# What may be stale is the note of who holds it, which is read only while the lock is held.


@contextmanager
def exclusive(lock: Path, holder: Path, *, busy: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock during the block.

    While somebody else has it, `busy` is called about once a second with a sentence that names
    them; it may raise. Waits as long as it doesn't.
    """
    handle = FileLock(lock, mode=PRIVATE_FILE, fallback_to_soft=False)
    while True:
        try:
            handle.acquire(timeout=0)
            break
        except Timeout:
            busy(_who(holder))
        with suppress(Timeout):
            handle.acquire(timeout=1)
            break
    try:
        write_private_json(
            holder, {"pid": os.getpid(), "command": shlex.join(sys.argv), "since": time.time()}
        )
        yield
    finally:
        with suppress(FileNotFoundError):
            holder.unlink()
        handle.release()


def _who(holder: Path) -> str:
    note = read_object(holder)
    pid, command, since = note.get("pid"), note.get("command"), note.get("since")
    if not isinstance(pid, int) or not isinstance(since, float):
        return "another process"  # it has the lock and hasn't written its note yet
    seconds = max(0, round(time.time() - since))
    return f"process {pid} ({command}), for {seconds} s"
