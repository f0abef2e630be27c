"""What the agent in this process says of itself: busy, idle or at a safe point; that it gets on;
that a checkpoint is wanted, or was taken."""

from __future__ import annotations

import threading
import time
from typing import Callable, Literal, NamedTuple

Phase = Literal["undeclared", "busy", "safe", "idle"]
PHASES: tuple[Phase, ...] = ("undeclared", "busy", "safe", "idle")


class Said(NamedTuple):
    """All of it at one moment. Seconds are since that happened; None: not yet."""

    phase: Phase
    phase_seconds: float
    beats: int
    beat_seconds: float | None
    safe_points: int
    safe_point_seconds: float | None
    checkpoints_requested: int
    checkpoints_taken: int


class Activity:
    """Thread-safe; reentrant, as a signal's handler may say something too."""

    def __init__(self) -> None:
        self._generation = 0
        self.awake: Callable[[], None] = lambda: None
        """Sees to it that what is said is published; called without a lock of this one's."""
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._busy = self._safe = 0
        self._phase: Phase = "undeclared"
        self._since = time.monotonic()
        self._beats = self._safe_points = 0
        self._beat_at: float | None = None
        self._safe_point_at: float | None = None
        self._requested = self._taken = 0

    def forked(self) -> None:
        """In a forked child: it has declared nothing, and blocks that its parent opened aren't its
        own to close."""
        self._generation += 1
        self._begin()

    def enter(self, kind: Literal["busy", "safe"]) -> int:
        """Begins a block; returns what `leave` wants back."""
        with self._lock:
            if kind == "busy":
                self._busy += 1
            else:
                self._safe += 1
                self._safe_points += 1
                self._safe_point_at = time.monotonic()
            self._progressed()
            return self._generation

    def leave(self, kind: Literal["busy", "safe"], generation: int) -> None:
        """Ends a block."""
        with self._lock:
            if generation != self._generation:
                return
            if kind == "busy":
                self._busy -= 1
            else:
                self._safe -= 1
                # Until the block's end nothing was done that would be lost.
                self._safe_point_at = time.monotonic()
            self._progressed()

    def idle(self) -> None:
        """The process takes part in phases: it is idle outside of blocks."""
        with self._lock:
            self._progressed()

    def beat(self) -> None:
        """The agent's own loop got on."""
        with self._lock:
            self._beats += 1
            self._beat_at = time.monotonic()

    def request_checkpoint(self) -> None:
        """State should be saved soon. Asking again before that changes nothing."""
        with self._lock:
            if self._requested == self._taken:
                self._requested += 1

    def checkpoint_wanted(self) -> bool:
        """Whether one was asked for and not taken yet."""
        return self._requested > self._taken

    def checkpoint_taken(self) -> None:
        """What the agent would miss if it ended now is saved."""
        with self._lock:
            self._taken = self._requested
            self._safe_points += 1
            self._safe_point_at = time.monotonic()

    def said(self) -> Said:
        """As of now."""
        with self._lock:
            now = time.monotonic()
            return Said(
                phase=self._phase,
                phase_seconds=now - self._since,
                beats=self._beats,
                beat_seconds=None if self._beat_at is None else now - self._beat_at,
                safe_points=self._safe_points,
                safe_point_seconds=None
                if self._safe_point_at is None
                else now - self._safe_point_at,
                checkpoints_requested=self._requested,
                checkpoints_taken=self._taken,
            )

    def _progressed(self) -> None:
        self.beat()
        phase: Phase = "idle" if not self._busy else "busy" if self._busy > self._safe else "safe"
        if phase != self._phase:
            self._phase = phase
            self._since = time.monotonic()


activity = Activity()


class Block:
    """`with` and `async with`; once each."""

    __slots__ = ("_generation", "_kind")

    def __init__(self, kind: Literal["busy", "safe"]) -> None:
        self._kind: Literal["busy", "safe"] = kind

    def __enter__(self) -> None:
        activity.awake()
        self._generation = activity.enter(self._kind)

    def __exit__(self, *_: object) -> None:
        activity.leave(self._kind, self._generation)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()


def busy() -> Block:
    """`with busy():` around work. The process is busy while any thread or task is in one."""
    return Block("busy")


def safe_point() -> Block:
    """`with safe_point():` inside of `busy()`, where whatever matters is saved and nothing is done.
    The process is at a safe point while each of its busy blocks is at one."""
    return Block("safe")


def idle() -> None:
    """Says once, before the first work, that this process says when it is busy."""
    activity.awake()
    activity.idle()


def beat() -> None:
    """Says that the agent's loop gets on; blocks say so by themselves."""
    activity.awake()
    activity.beat()


def checkpoint_wanted() -> bool:
    """Whether a guard asked for a checkpoint that wasn't taken yet."""
    return activity.checkpoint_wanted()


def checkpoint_taken() -> None:
    """Says that state was saved, asked for or not."""
    activity.checkpoint_taken()
