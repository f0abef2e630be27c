"""`python -m benchmarks.guard.measure`, with `warden/guard` on the path: one line of JSON.

Each figure is the median over rounds; in a round, guarded and bare are measured one right after
the other, in turns, so that both see the same machine.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator

from corral_guard import guard, start

ROUNDS = 31
CALLS = 4000
WORK_CALLS = 40
ITEMS = 4000
WORK_SECONDS = 0.001
LIMITED = guard("limited", max_growth="1GiB", max_ratio=9.0, on_growth="raise")


def nothing() -> None:
    """A call that costs nothing of its own."""


async def nothing_async() -> None:
    """The same, as a coroutine."""


def items() -> Iterator[int]:
    """Items that cost nothing of their own."""
    yield from range(ITEMS)


def work(loops: int) -> int:
    """A fixed amount of work, which is calibrated to a millisecond."""
    total = 0
    for number in range(loops):
        total += number * number
    return total


def calibrated() -> int:
    """Loops of a millisecond here."""
    loops = 10_000
    best = min(seconds(lambda: work(loops), 20) for _ in range(9))
    return max(1, round(loops * WORK_SECONDS / best))


def seconds(action: Callable[[], object], times: int) -> float:
    """Of one, the mean of so many."""
    begun = time.perf_counter()
    for _ in range(times):
        action()
    return (time.perf_counter() - begun) / times


def compared(
    bare: Callable[[], object], guarded: Callable[[], object], times: int
) -> tuple[float, float, float]:
    """Medians of: bare seconds, seconds added, and what was added as a share of bare."""
    rounds = []
    for number in range(ROUNDS):
        if number % 2:
            second, first = seconds(guarded, times), seconds(bare, times)
        else:
            first, second = seconds(bare, times), seconds(guarded, times)
        rounds.append((first, second - first, (second - first) / first))
    first, added, share = (statistics.median(column) for column in zip(*rounds, strict=True))
    return first, added, share


def coroutines(function: Callable[[], object]) -> Callable[[], object]:
    """Drives one to its end, without a loop's own cost."""

    def drive() -> None:
        try:
            function().send(None)  # type: ignore[attr-defined] # a coroutine
        except StopIteration:
            return

    return drive


def exhausted(function: Callable[[], Iterator[int]]) -> Callable[[], object]:
    """All of its items."""
    return lambda: sum(function())


def measure() -> dict[str, float]:
    """Microseconds added, and the share of a millisecond's work."""
    # As in an agent: the thread runs, with calls to look at.
    start(directory="", listen="")
    loops = calibrated()
    guarded_work = LIMITED(work)
    bare, _, share = compared(lambda: work(loops), lambda: guarded_work(loops), WORK_CALLS)
    _, call, _ = compared(nothing, LIMITED(nothing), CALLS)
    _, measured, _ = compared(nothing, guard("measured")(nothing), CALLS)
    _, coroutine, _ = compared(coroutines(nothing_async), coroutines(LIMITED(nothing_async)), CALLS)
    _, listed, _ = compared(exhausted(items), exhausted(LIMITED(items)), 1)
    return {
        "work_ms": 1e3 * bare,
        "share_percent": 100 * share,
        "call_us": 1e6 * call,
        "measured_call_us": 1e6 * measured,
        "coroutine_us": 1e6 * coroutine,
        "item_us": 1e6 * listed / ITEMS,
    }


if __name__ == "__main__":
    print(json.dumps(measure()))  # noqa: T201 - its output
