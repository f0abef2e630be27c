"""Waiting for what a control plane does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], *, bound: float = 20.0) -> T:
    """The first true result of `look`; its last result once `bound` seconds are over."""
    deadline = time.monotonic() + bound
    while not (result := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return result
