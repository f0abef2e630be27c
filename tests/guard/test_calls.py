"""What a call did to memory, and what follows from it."""

from __future__ import annotations

import threading

import pytest

from corral_guard import (
    Growth,
    MemoryGrowth,
    check,
    checkpoint_taken,
    checkpoint_wanted,
    guard,
    watch,
)
from corral_guard.books import MAX_CALLS, OTHER, books
from corral_guard.limits import NOISE, limits
from corral_guard.process import process
from tests.guard.growing import HALF, MIB, PART, grown, guarded

WAIT = 30
"""Seconds after which something that never comes is given up."""


def test_what_a_call_grew_is_measured_within_a_mebibyte() -> None:
    kept: list[bytes] = []

    @guard("fill")
    def fill() -> None:
        kept.append(grown())

    fill()
    (figures,) = books.figures().values()
    assert abs(figures.grown - PART) < MIB
    assert figures.largest == figures.grown
    assert (figures.ended, figures.passed) == (1, 0)


def test_memory_given_back_before_the_end_is_no_growth() -> None:
    with watch("passing", max_growth=HALF, on_growth="raise") as call:
        kept = grown()
        assert call.growth > HALF
        del kept
    assert abs(call.growth) < MIB


def test_a_call_that_grew_too_much_raises_at_its_end_with_what_it_did() -> None:
    with pytest.raises(MemoryGrowth) as raised:
        guarded(PART)
    growth = raised.value.growth
    assert growth.call == "growing.kept"
    assert abs(growth.bytes - PART) < MIB
    assert growth.finished and growth.alone
    assert "32.0 MiB" in str(raised.value) and "limit 16.0 MiB" in str(raised.value)


def test_a_call_within_its_limits_returns_what_it_returns() -> None:
    assert [len(part) for part in guarded(MIB, twice=True)] == [MIB, MIB]


def test_a_ratio_is_against_the_memory_at_the_beginning_and_above_noise() -> None:
    half = limits(None, 0.5)
    assert not half.passed(start=100 * MIB, growth=50 * MIB)
    assert half.passed(start=100 * MIB, growth=50 * MIB + 1)
    assert not half.passed(start=MIB, growth=NOISE), "a small process doubles by importing"
    assert half.passed(start=MIB, growth=NOISE + 1)


def test_either_limit_is_enough() -> None:
    both = limits("10MiB", 0.5)
    assert both.passed(start=1000 * MIB, growth=11 * MIB)
    assert both.passed(start=10 * MIB, growth=9 * MIB)
    assert not both.passed(start=100 * MIB, growth=10 * MIB)


@pytest.mark.parametrize(
    "size", [0, -1, True, 1.5, "", "12", "0MiB", "12MB", "1e3", "-1KiB", "\uff11MiB"]
)
def test_what_is_no_size_is_refused(size: object) -> None:
    if size == "12":
        assert limits("12", None).growth == 12, "bytes may be written as a text"
        return
    with pytest.raises(ValueError, match="max_growth"):
        guard(max_growth=size)  # type: ignore[arg-type]  # what is refused


@pytest.mark.parametrize("ratio", [0, -0.5, float("nan"), float("inf"), True, "0.5"])
def test_what_is_no_ratio_is_refused(ratio: object) -> None:
    with pytest.raises(ValueError, match="max_ratio"):
        guard(max_ratio=ratio)  # type: ignore[arg-type]  # what is refused


def test_an_action_that_nothing_leads_to_is_refused() -> None:
    with pytest.raises(ValueError, match="give max_growth or max_ratio"):
        guard(on_growth="raise")
    with pytest.raises(ValueError, match="'report', 'checkpoint', 'raise'"):
        watch("x", max_growth=1, on_growth="explode")
    with pytest.raises(ValueError, match="measure"):
        guard(measure="pss")  # type: ignore[arg-type]  # what is refused


def test_the_exception_of_a_call_is_never_masked() -> None:
    kept: list[bytes] = []

    @guard(max_growth=HALF, on_growth="raise")
    def fails() -> None:
        kept.append(grown())
        raise LookupError("its own")

    with pytest.raises(LookupError, match="its own") as raised:
        fails()
    assert raised.value.__context__ is None, "nothing of the guard's stands behind it"
    assert next(iter(books.figures().values())).passed == 1, "but it is counted"


def test_neither_is_one_that_leaves_a_block() -> None:
    kept: list[bytes] = []
    with pytest.raises(KeyboardInterrupt), watch("x", max_growth=HALF, on_growth="raise"):
        kept.append(grown())
        raise KeyboardInterrupt


def test_a_function_is_told_once_and_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Growth] = []
    kept: list[bytes] = []

    def tell(growth: Growth) -> None:
        told.append(growth)
        raise RuntimeError("of the listener")

    with watch("fill", max_growth=HALF, on_growth=tell) as call:
        kept.append(grown())
        call.check()
        kept.append(grown())
        call.check()
    assert len(told) == 1
    assert not told[0].finished
    assert "on_growth of fill failed" in caplog.text


def test_a_checkpoint_is_wanted_until_it_is_taken() -> None:
    kept: list[bytes] = []
    assert not checkpoint_wanted()
    with watch("fill", max_growth=HALF, on_growth="checkpoint"):
        kept.append(grown())
    assert checkpoint_wanted()
    checkpoint_taken()
    assert not checkpoint_wanted()


def test_check_raises_in_the_middle_and_only_once() -> None:
    kept: list[bytes] = []
    steps = []

    @guard(max_growth=HALF, on_growth="raise")
    def loops() -> str:
        for step in range(3):
            kept.append(grown())
            try:
                check()
            except MemoryGrowth:
                steps.append(step)
        return "went on"

    assert loops() == "went on", "whoever handled it has decided"
    assert steps == [0]


def test_a_long_call_is_seen_while_it_runs() -> None:
    seen = threading.Event()
    threads: list[str] = []
    kept: list[bytes] = []

    def tell(growth: Growth) -> None:
        assert not growth.finished
        threads.append(threading.current_thread().name)
        seen.set()

    process.start(directory="", listen="", interval=0.05)
    with watch("long", max_growth=HALF, on_growth=tell):
        kept.append(grown())
        assert seen.wait(WAIT), "nobody looked"
    assert threads == ["corral-guard"]


def test_calls_within_calls_count_in_both_and_the_inner_one_raises() -> None:
    kept: list[bytes] = []

    @guard("inner", max_growth=HALF, on_growth="raise")
    def inner() -> None:
        kept.append(grown())

    @guard("outer", max_growth=HALF, on_growth="raise")
    def outer() -> None:
        inner()

    with pytest.raises(MemoryGrowth) as raised:
        outer()
    assert raised.value.growth.call == "inner"
    assert {name: one.passed for name, one in books.figures().items()} == {"inner": 1, "outer": 1}


def test_names_beyond_the_bound_are_counted_together() -> None:
    for number in range(3 * MAX_CALLS):
        with watch(f"call-{number}"):
            pass
    figures = books.figures()
    assert len(figures) == MAX_CALLS
    assert figures[OTHER].ended == 2 * MAX_CALLS + 1


def test_a_name_becomes_a_label() -> None:
    with watch('a "b"\n{c}' + "é" * 100):
        pass
    (name,) = books.figures()
    assert name == "_" * 80
    with pytest.raises(ValueError, match="not empty"):
        watch("")


def test_a_watch_is_for_one_block() -> None:
    once = watch("x")
    with once:
        pass
    with pytest.raises(RuntimeError, match="make another"), once:
        pass


@pytest.mark.parametrize("measure", ["rss", "uss"])
@pytest.mark.parametrize("children", [False, True])
def test_every_measure_sees_what_was_grown(measure: str, children: bool) -> None:
    with watch("x", measure=measure, children=children) as call:  # type: ignore[arg-type]  # of a table
        kept = grown()
        assert abs(call.growth - len(kept)) < 4 * MIB
