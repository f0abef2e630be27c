"""Where a pod's processes leave their statuses for the one of them that answers for all.

One document and one lock for each process. The kernel drops a lock when its process dies, however
it dies, in whichever container it ran: what isn't locked any more belongs to nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat

from corral_guard.document import (
    MAX_PROCESS_BYTES,
    MAX_PROCESSES,
    Refused,
    Status,
    encode,
    parse_process,
    process_document,
)

DEFAULT = "/run/corral"
MAX_ENTRIES = 1024
"""Names looked at. More are somebody else's."""

_DOCUMENT = re.compile(r"([0-9a-f]{16})\.json")


class Directory:
    """This process's part of it, and sight of the others'. OSError where it can't be written."""

    def __init__(self, path: str, instance: str) -> None:
        self.path = path
        self._name = os.path.join(path, instance)
        self._lock = os.open(
            f"{self._name}.lock",
            os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
            0o644,
        )
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def publish(self, status: Status) -> None:
        """In one piece: readers see the old document or the new one."""
        fresh = f"{self._name}.new"
        descriptor = os.open(
            fresh,
            os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC,
            0o644,
        )
        try:
            os.write(descriptor, encode(process_document(status)))
        finally:
            os.close(descriptor)
        os.replace(fresh, f"{self._name}.json")

    def forked(self) -> None:
        """In a forked child: the lock is the parent's, and would outlive it here."""
        with contextlib.suppress(OSError):
            os.close(self._lock)

    def close(self) -> None:
        """This process is over."""
        _remove(self._name)
        with contextlib.suppress(OSError):
            os.close(self._lock)


def others(path: str, besides: str | None) -> tuple[list[Status], int]:
    """What living processes wrote, but for `besides`; and how many there was no room for or whose
    document can't be read. Files of dead ones are removed."""
    found: list[Status] = []
    more = 0
    try:
        with os.scandir(path) as entries:
            names = [entry.name for entry, _ in zip(entries, range(MAX_ENTRIES))]
    except OSError:
        return found, more
    for name in sorted(names):
        match = _DOCUMENT.fullmatch(name)
        if not match or match[1] == besides:
            continue
        stem = os.path.join(path, match[1])
        if not _held(f"{stem}.lock"):
            _remove(stem)
            continue
        status = _read(f"{stem}.json")
        if status is None or status.instance != match[1] or len(found) >= MAX_PROCESSES - 1:
            more += 1
        else:
            found.append(status)
    return found, more


def _held(lock: str) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _read(name: str) -> Status | None:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        # A pipe would wait for its writer.
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return parse_process(os.read(descriptor, MAX_PROCESS_BYTES + 1))
    except (OSError, Refused):
        return None
    finally:
        os.close(descriptor)


def _remove(stem: str) -> None:
    # The lock last: while it stands, nobody takes the document for a dead one's.
    for ending in (".new", ".json", ".lock"):
        with contextlib.suppress(OSError):
            os.unlink(stem + ending)
