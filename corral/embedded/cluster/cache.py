"""Binaries kept for the next time and for every clone, each with the checksum that it came with."""

from __future__ import annotations

import hashlib
import os
import subprocess
from contextlib import suppress
from pathlib import Path

from corral.embedded.cluster.files import read_object, write_private_json
from corral.embedded.cluster.pins import Pin

_EXECUTABLE = 0o755
_VERSION_SECONDS = 20


def default_cache() -> Path:
    """Where a user's clones keep programs together: `$CORRAL_CACHE`, else
    `$XDG_CACHE_HOME/corral`, else `~/.cache/corral`."""
    if named := os.environ.get("CORRAL_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "corral"


class Cache:
    """`bin/<name>-<version>`, and beside it `<name>-<version>.json`: its SHA-256 and its source.

    The sum guards against a damaged file, not against somebody who may write to the cache. A file
    that has the size and time of when it was last checked isn't read through again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, pin: Pin) -> Path:
        """Where it is, or would be."""
        return self.folder / "bin" / f"{pin.name}-{pin.version}"

    def unfinished(self, pin: Pin) -> Path:
        """Where to put it until it is whole; the folder is made."""
        path = self.path(pin)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.with_name(f".{path.name}.unfinished")

    def find(self, pin: Pin) -> Path | None:
        """It, if it is there, undamaged and in the pinned version."""
        path, note = self.path(pin), self._note(pin)
        try:
            facts = path.stat()
        except FileNotFoundError:
            return None
        seen = read_object(note)
        if [seen.get("size"), seen.get("mtime_ns")] != [facts.st_size, facts.st_mtime_ns]:
            digest = sha256(path)
            if seen.get("sha256", digest) != digest:
                return None
            self._write_note(pin, digest, str(seen.get("source", "found in the cache")))
        return path if answers_version(path, pin) else None

    def place(self, pin: Pin, *, source: str) -> Path:
        """Moves the finished file into its place. ValueError if it isn't what the pin says."""
        unfinished = self.unfinished(pin)
        unfinished.chmod(_EXECUTABLE)
        if not answers_version(unfinished, pin):
            raise ValueError(f"it does not call itself {pin.version_words!r}")
        digest = sha256(unfinished)
        unfinished.replace(self.path(pin))
        self._write_note(pin, digest, source)
        return self.path(pin)

    def _note(self, pin: Pin) -> Path:
        path = self.path(pin)
        return path.with_name(f"{path.name}.json")

    def _write_note(self, pin: Pin, digest: str, source: str) -> None:
        facts = self.path(pin).stat()
        with suppress(PermissionError):  # somebody else's cache, which may well be read-only
            write_private_json(
                self._note(pin),
                {
                    "sha256": digest,
                    "source": source,
                    "size": facts.st_size,
                    "mtime_ns": facts.st_mtime_ns,
                },
            )


def answers_version(program: Path, pin: Pin) -> bool:
    """Whether the program calls itself what the pin says. It is run, with a bare environment."""
    try:
        answer = subprocess.run(
            [program, *pin.version_command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VERSION_SECONDS,
            env={"PATH": os.defpath, "HOME": "/nonexistent"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    lines = answer.stdout.decode(errors="replace").splitlines()
    words = lines[0].split() if lines else []
    wanted = pin.version_words.split()
    return answer.returncode == 0 and words[: len(wanted)] == wanted


def sha256(path: Path) -> str:
    """Of the file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
