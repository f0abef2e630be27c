"""What a person sees: progress and reports on stderr, results on stdout.

Colour follows rich's rules: none when NO_COLOR is set, TERM is dumb, or the stream is no terminal.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from corral.errors import BadInput, file_reason


class Screen:
    """Steps as they happen, with what, how far and how long. `quiet` keeps errors only."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.notes = Console(stderr=True, highlight=False, quiet=quiet, soft_wrap=True)
        self.errors = Console(stderr=True, highlight=False, soft_wrap=True)
        self.results = Console(highlight=False, soft_wrap=True)
        self._started = time.monotonic()
        self._last = ""

    def note(self, text: str, *, style: str = "") -> None:
        """One line for the reader; program output goes to stdout instead."""
        self.notes.print(escape(text), style=style)

    def result(self, text: str, *, style: str = "") -> None:
        """One line of what was asked for, on stdout."""
        self.results.print(escape(text), style=style)

    def step(self, name: str, detail: str = "") -> None:
        """`  12.3s  name  detail`; the same line twice in a row is shown once."""
        line = f"{name:<22} {detail}".rstrip()
        if line != self._last:
            elapsed = time.monotonic() - self._started
            self.notes.print(f"[dim]{elapsed:6.1f}s[/dim]  {escape(line)}")
            self._last = line

    def error(self, text: str) -> None:
        """Shown even when quiet."""
        self.errors.print("[bold red]error:[/bold red] " + escape(text))

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table on stdout that stays plain text in a pipe."""
        table = Table(box=None, pad_edge=False)
        for column in columns:
            table.add_column(column, no_wrap=not sys.stdout.isatty(), overflow="fold")
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        width = None if sys.stdout.isatty() else 240
        console = Console(highlight=False, width=width, soft_wrap=True)
        console.print(escape(title), style="bold")
        console.print(table)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """A step that says how long it took once it is over."""
        begun = time.monotonic()
        yield
        self.step(name, f"done in {time.monotonic() - begun:.1f} s")


def write_json(document: object, target: str) -> None:
    """Indented JSON to a file, or to stdout for "-". Raises BadInput, with nothing left of it and
    what was there before kept, where the file can't be written."""
    data = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if target == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    path = Path(target)
    try:
        _write(path, data)
    except OSError as error:
        raise BadInput(
            f"--json {target}: can't use {path.absolute()}: {file_reason(error)}"
        ) from error


def _write(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():
        path.write_bytes(data)  # a device or a pipe
        return
    whole = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        whole.write_bytes(data)
        whole.replace(path)
    except OSError:
        with suppress(OSError):
            whole.unlink()
        raise
