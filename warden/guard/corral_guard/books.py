"""What guarded calls of this process are running, and what those that ended did to its memory."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from corral_guard.calls import Call

MAX_CALLS = 24
"""Names told apart; all further ones are counted together as `other`. It bounds the labels of the
metrics, whatever a program calls its guards."""
OTHER = "other"
MAX_GROWTHS = 8


class Growth(NamedTuple):
    """One call that grew memory by more than its limits."""

    call: str
    bytes: int
    """Grown by, when it was seen."""
    start: int
    """Bytes held when the call began."""
    limits: str
    """In words."""
    finished: bool
    """Whether the call had ended; False when it was seen while it ran."""
    alone: bool
    """Whether no other thread was in a guarded call meanwhile. Memory is the process's: where this
    is False, another call may be the one that grew it. Threads without guards aren't known."""


class Figures(NamedTuple):
    """All calls of one name that ended."""

    ended: int
    passed: int
    """Calls that passed their limits."""
    grown: int
    """Bytes: the sum over those that grew. What others gave back isn't taken off."""
    largest: int
    """Bytes: the largest growth of one call."""


_NOTHING = Figures(ended=0, passed=0, grown=0, largest=0)


class Books:
    """Thread-safe. The lock is reentrant: a signal's handler or the garbage collector may enter a
    guarded call at any moment of the thread that holds it."""

    def __init__(self) -> None:
        self.forked()

    def forked(self) -> None:
        """In a forked child: it begins empty, and the lock may have been held by a thread that
        isn't there."""
        self._lock = threading.RLock()
        self._threads: dict[int, list[weakref.ref[Call]]] = {}
        self._arrivals = 0
        self._figures: dict[str, Figures] = {}
        self._growths: deque[Growth] = deque(maxlen=MAX_GROWTHS)

    def enter(self, call: Call) -> None:
        """The calling thread runs it from now on."""
        thread = threading.get_ident()
        with self._lock:
            stack = self._threads.get(thread)
            if stack is None:
                stack = self._threads[thread] = []
                self._arrivals += 1
            # Weak: a call that an interrupt kept from leaving is forgotten with its frame.
            stack.append(weakref.ref(call))
            call.thread = thread
            call.arrivals = self._arrivals if len(self._threads) == 1 else -1

    def alone(self, call: Call) -> bool:
        """Whether no other thread was in a guarded call since this one was entered."""
        with self._lock:
            return call.arrivals == self._arrivals

    def leave(self, call: Call) -> bool:
        """It stops running; True when it was alone."""
        with self._lock:
            alone = call.arrivals == self._arrivals
            stack = self._threads.get(call.thread)
            if stack is not None:
                # Nearly always the last one, but blocks of tasks may end in any order.
                for at in range(len(stack) - 1, -1, -1):
                    found = stack[at]()
                    if found is call or found is None:
                        del stack[at]
                    if found is call:
                        break
                if not stack:
                    self._threads.pop(call.thread, None)
            return alone

    def running(self, thread: int | None = None) -> list[Call]:
        """Outermost first; those of one thread, or all."""
        with self._lock:
            stacks = list(self._threads.items())
            found = []
            for ident, stack in stacks:
                stack[:] = [reference for reference in stack if reference() is not None]
                if not stack:
                    del self._threads[ident]
                elif thread is None or thread == ident:
                    found += [call for call in (reference() for reference in stack) if call]
            return found

    def first(self, call: Call) -> bool:
        """True once for each call: whoever sees first that it passed its limits acts on it."""
        with self._lock:
            seen, call.passed = call.passed, True
            return not seen

    def passed(self, growth: Growth) -> None:
        """Remembers it; the last few stand in the status."""
        with self._lock:
            self._growths.append(growth._replace(call=self._name(growth.call)))

    def ended(self, name: str, growth: int, *, passed: bool) -> None:
        """Counts a call that is over."""
        with self._lock:
            name = self._name(name)
            count, over, grown, largest = self._figures.get(name, _NOTHING)
            self._figures[name] = Figures(
                count + 1,
                over + passed,
                grown + growth if growth > 0 else grown,
                growth if growth > largest else largest,
            )

    def figures(self) -> dict[str, Figures]:
        """By name."""
        with self._lock:
            return dict(self._figures)

    def growths(self) -> tuple[Growth, ...]:
        """The last ones, oldest first."""
        with self._lock:
            return tuple(self._growths)

    def _name(self, name: str) -> str:
        if name in self._figures or len(self._figures) < MAX_CALLS - 1:
            return name
        return OTHER


books = Books()
