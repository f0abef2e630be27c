"""A node's folder of logs, written as containerd and the kubelet write it."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PIECE = 16 * 1024
"""containerd's buffer for one line: longer ones come in pieces, tagged P, the last of them F.
https://github.com/containerd/containerd/blob/main/internal/cri/io/logger.go"""

_START = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)


@dataclass(kw_only=True)
class Container:
    """A container's current file."""

    folder: Path
    turns: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    restart: int = 0

    @property
    def file(self) -> Path:
        """What the kubelet calls it."""
        return self.folder / f"{self.restart}.log"

    def write(self, *lines: str | bytes, stream: str = "stdout") -> None:
        """Each line, in pieces where it is long."""
        with self.file.open("ab") as file:
            for line in lines:
                raw = line.encode() if isinstance(line, str) else line
                # A newline in what a program writes ends a line: there is no other way to write it.
                for one in raw.split(b"\n"):
                    self._line(file, one, stream)

    def rotate(self) -> None:
        """As the kubelet does: the file is renamed, and containerd begins another."""
        turned = next(self.turns)
        self.file.rename(self.folder / f"{self.restart}.log.20261123-1200{turned:02}")

    def _line(self, file: object, raw: bytes, stream: str) -> None:
        pieces = [raw[at : at + PIECE] for at in range(0, len(raw), PIECE)] or [b""]
        for number, piece in enumerate(pieces, 1):
            time = _START + datetime.timedelta(microseconds=next(_clock))
            tag = "F" if number == len(pieces) else "P"
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
            file.write(f"{stamp} {stream} {tag} ".encode() + piece + b"\n")  # type: ignore[attr-defined]


_clock = itertools.count(1)


@dataclass(kw_only=True)
class Node:
    """Its `/var/log/pods`."""

    pods: Path
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def container(self, namespace: str, pod: str, name: str = "agent") -> Container:
        """A new pod with one container."""
        uid = f"00000000-0000-4000-8000-{next(self.numbers):012x}"
        folder = self.pods / f"{namespace}_{pod}_{uid}" / name
        folder.mkdir(parents=True)
        return Container(folder=folder)
