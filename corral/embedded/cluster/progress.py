"""How long work tells what it is doing."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Whoever shows progress. Called at most a few times a second."""

    def step(self, name: str, detail: str = "") -> None:
        """`name` is what is being done ("build kube-apiserver"); `detail` says how far it is and
        how long it takes ("2 of 5, 0:40, usually 5 min")."""


class Silent:
    """Shows nothing."""

    def step(self, name: str, detail: str = "") -> None:
        """Forgets it."""


def clock(seconds: float) -> str:
    """`0:07`, `4:33`, `1:02:05`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
