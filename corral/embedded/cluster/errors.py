"""What can go wrong with the embedded cluster, told to the person who started it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corral.errors import UserError, file_reason


class ClusterError(UserError):
    """The embedded cluster can't do what was asked.

    `reset_helps`: whether removing its state and starting from nothing would cure it.
    """

    def __init__(self, text: str, *, reset_helps: bool = False) -> None:
        if reset_helps:
            text += (
                "\nResetting the cluster cures this: `corral cluster reset` removes everything "
                "on it and keeps the binaries; the next `corral up` makes the platform again."
            )
        super().__init__(text)
        self.reset_helps = reset_helps


class PartDiedError(ClusterError):
    """A process ended that should run. `part` is its name; `last_lines` are its log's."""

    def __init__(
        self, part: str, log: Path, last_lines: tuple[str, ...], *, ending: str, damaged: bool
    ) -> None:
        said = "\n".join(f"    {line}" for line in last_lines) or "    (its log is empty)"
        super().__init__(
            f"{part} ended {ending} while the embedded cluster was starting. "
            f"Its last words in {log}:\n{said}",
            reset_helps=damaged,
        )
        self.part = part
        self.last_lines = last_lines


@contextmanager
def readable_file_errors(what: str, where: Path) -> Iterator[None]:
    """Turns an OSError about files below into a ClusterError that names the file and the fix.

    `what` is the work that was under way, `where` the folder to name when the error names none.
    """
    try:
        yield
    except OSError as error:
        path = error.filename or where
        raise ClusterError(f"{what}: can't use {path}: {file_reason(error)}") from error
