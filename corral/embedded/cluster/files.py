"""Files that only their owner may read, and that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import orjson

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def private_folder(path: Path) -> Path:
    """Makes the folder, and shuts it to others if it stood open. Whatever the umask is."""
    path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(PRIVATE_FOLDER)
    return path


def write_private(path: Path, data: bytes | str) -> bool:
    """Writes a file of mode 0600 in one go; False if it held just that already.

    A crash leaves the old file or the new one, never half of one. The caller holds the lock of the
    folder: there is one writer at a time.
    """
    content = data.encode() if isinstance(data, str) else data
    if _holds(path, content):
        return False
    unfinished = path.with_name(f".{path.name}.unfinished")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    descriptor = os.open(unfinished, flags, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, PRIVATE_FILE)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    unfinished.replace(path)
    return True


def write_private_json(path: Path, document: object) -> bool:
    """`write_private` of a document."""
    return write_private(path, orjson.dumps(document, option=orjson.OPT_INDENT_2))


def read_object(path: Path) -> dict[str, object]:
    """The JSON object in a file; {} where it is missing, cut short or something else."""
    try:
        document = orjson.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_mode & 0o777 == PRIVATE_FILE and path.read_bytes() == content
    except FileNotFoundError:
        return False
