"""One guarded call: what the process's memory did while it ran."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Union

from corral_guard.activity import activity
from corral_guard.books import Growth, books
from corral_guard.limits import Limits, size_text
from corral_guard.memory import Meter

if TYPE_CHECKING:
    from types import TracebackType

Action = Union[str, Callable[[Growth], object]]
ACTIONS = ("report", "checkpoint", "raise")

_log = logging.getLogger("corral_guard")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.:<>-]")
MAX_NAME = 80


class MemoryGrowth(Exception):
    """A guarded call grew its process's memory by more than its limits."""

    def __init__(self, growth: Growth) -> None:
        super().__init__(growth)
        self.growth = growth

    def __str__(self) -> str:
        growth = self.growth
        beside = "" if growth.alone else "; other guarded calls ran at the same time"
        return (
            f"{growth.call} grew memory by {size_text(growth.bytes)} from "
            f"{size_text(growth.start)}, limit {growth.limits}{beside}"
        )


class Terms(NamedTuple):
    """What is asked of calls of one name."""

    name: str
    limits: Limits
    action: Action
    read: Meter


def terms(name: str, limits: Limits, action: Action, read: Meter) -> Terms:
    """ValueError for an action that isn't known, or a name that nothing is left of."""
    if not callable(action) and action not in ACTIONS:
        known = ", ".join(repr(one) for one in ACTIONS)
        raise ValueError(f"on_growth is {known} or a function of one Growth, not {action!r}")
    return Terms(name=label(name), limits=limits, action=action, read=read)


def label(name: str) -> str:
    """`name` as it may stand in metrics: at most 80 of letters, digits and `_.:<>-`, the end where
    it is longer."""
    kept = _NOT_IN_NAMES.sub("_", name)[-MAX_NAME:]
    if not kept:
        raise ValueError("a guard's name is not empty")
    return kept


class Call:
    """A call, or a block of `with`. Not for use by several threads or twice.

    Memory is read when it begins, at each stop and start on the way (a generator's yields, a
    coroutine's waits), and when it ends. What was grown while it was stopped isn't its own.
    """

    __slots__ = (
        "__weakref__",
        "_account",
        "_alone",
        "_delivered",
        "_ended",
        "_terms",
        "arrivals",
        "passed",
        "start",
        "thread",
    )

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        # Grown in finished steps, and held when the current one began (None between steps): in one
        # piece, as the watching thread reads both.
        self._account: tuple[int, int | None] = (0, None)
        self._alone = True
        self._delivered = self._ended = False
        self.passed = False
        self.start = -1
        self.thread = self.arrivals = -1

    @property
    def growth(self) -> int:
        """Bytes grown so far; negative when memory was given back."""
        grown, at = self._account
        return grown if at is None else grown + self._terms.read() - at

    def resume(self) -> None:
        """A step begins."""
        books.enter(self)
        now = self._terms.read()
        if self.start < 0:
            self.start = now
        self._account = (self._account[0], now)

    def pause(self) -> None:
        """A step ends. Never raises."""
        grown, at = self._account
        if at is not None:
            grown += self._terms.read() - at
            self._account = (grown, None)
            if not books.leave(self):
                self._alone = False
        if self._terms.limits.passed(start=self.start, growth=grown) and books.first(self):
            self._act(grown, finished=self._ended)

    def close(self, *, failed: bool) -> None:
        """The call is over. MemoryGrowth where that was asked for, and never in the place of an
        exception that the call itself ended by (`failed`)."""
        if self._ended:
            return
        self._ended = True
        self.pause()
        books.ended(self._terms.name, self._account[0], passed=self.passed)
        if not failed:
            self._raise()

    def check(self) -> None:
        """Looks now, in the middle of the call. MemoryGrowth where that was asked for."""
        growth = self.growth
        if self._terms.limits.passed(start=self.start, growth=growth) and books.first(self):
            self._act(growth, finished=False)
        self._raise()

    def glance(self) -> None:
        """As the watching thread looks: acts, but can't raise in another thread."""
        account = self._account
        grown, at = account
        if at is None or self.passed or not self._terms.limits:
            return
        growth = grown + self._terms.read() - at
        # The same step before and after reading, or the reading says nothing about it.
        same = self._account is account and not self._ended
        over = same and self._terms.limits.passed(start=self.start, growth=growth)
        if over and books.first(self):
            self._act(growth, finished=False)

    def owed(self) -> MemoryGrowth | None:
        """What is to be raised: once, after limits were passed and if raising was asked for."""
        if not self.passed or self._delivered or self._terms.action != "raise":
            return None
        self._delivered = True
        return MemoryGrowth(self._growth(self.growth, finished=self._ended))

    def _raise(self) -> None:
        owed = self.owed()
        if owed is not None:
            raise owed

    def _growth(self, grown: int, *, finished: bool) -> Growth:
        return Growth(
            call=self._terms.name,
            bytes=grown,
            start=self.start,
            limits=str(self._terms.limits),
            finished=finished,
            alone=self._alone and (self._account[1] is None or books.alone(self)),
        )

    def _act(self, grown: int, *, finished: bool) -> None:
        growth = self._growth(grown, finished=finished)
        books.passed(growth)
        action = self._terms.action
        if action == "checkpoint":
            activity.request_checkpoint()
        elif callable(action):
            try:
                action(growth)
            except Exception:
                _log.exception("on_growth of %s failed; the call goes on", growth.call)

    def __enter__(self) -> Call:
        if self.start >= 0:
            raise RuntimeError("a watch is for one block: make another by watch(…)")
        self.resume()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close(failed=error is not None)

    async def __aenter__(self) -> Call:
        # Whatever other tasks do while this block waits can't be told from its own growth.
        self._alone = False
        return self.__enter__()

    async def __aexit__(
        self, kind: Any, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(failed=error is not None)


def check() -> None:
    """Looks at the guarded calls that the calling thread is in, innermost first. MemoryGrowth for
    the first that passed its limits and was asked to raise."""
    for call in reversed(books.running(threading.get_ident())):
        call.check()
