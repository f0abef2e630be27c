"""Waiting for the cluster: bounded, and telling what is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from corral.embedded.engine.registration import Document
from corral.kubernetes import Api

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
_NOTE_EVERY = 5.0


class TookTooLong(Exception):
    """What was waited for didn't come within the bound; `str(error)` says what."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Bounds in seconds. `note` hears every few seconds what is still waited for."""

    api: Api
    note: Callable[[str], None]
    bound: float = 120.0
    """For an object to be gone, or a kind to be served."""
    arrival_bound: float = 20.0
    """For something that the same run may still bring."""
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep

    def until(self, done: Callable[[], bool], what: str, *, bound: float | None = None) -> None:
        """Returns when `done()` is true; TookTooLong after the bound."""
        limit = self.bound if bound is None else bound
        begun = noted = self.clock()
        pause = _FIRST_PAUSE
        while not done():
            now = self.clock()
            if now - begun > limit:
                raise TookTooLong(f"waited {limit:.0f} s for {what}")
            if now - noted > _NOTE_EVERY:
                noted = now
                self.note(f"waiting for {what} ({now - begun:.0f} s)")
            self.pause(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def until_gone(self, path: str, uid: str, what: str) -> None:
        """Returns when the object with this uid is gone; TookTooLong names its finalizers."""
        last: list[Document] = []

        def gone() -> bool:
            found = self.api.find(path)
            if found is None or found["metadata"]["uid"] != uid:
                return True
            last[:] = [found]
            return False

        try:
            self.until(gone, f"{what} to be gone")
        except TookTooLong as error:
            held = last[0]["metadata"].get("finalizers") or last[0].get("spec", {}).get(
                "finalizers"
            )
            raise TookTooLong(
                f"{error}; held by finalizers: {', '.join(held or ['none'])}"
            ) from None
