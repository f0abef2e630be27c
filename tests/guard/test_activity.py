"""Busy, idle, at a safe point: what a process says of itself."""

from __future__ import annotations

import asyncio
import os
import threading

from corral_guard import (
    beat,
    busy,
    checkpoint_taken,
    checkpoint_wanted,
    idle,
    safe_point,
)
from corral_guard.activity import Phase, activity


def phase() -> Phase:
    return activity.said().phase


def test_a_process_that_declares_nothing_is_undeclared() -> None:
    beat()
    assert phase() == "undeclared"
    idle()
    assert phase() == "idle"


def test_work_is_busy_and_its_end_is_idle_also_when_it_fails() -> None:
    try:
        with busy():
            assert phase() == "busy"
            with busy():
                pass
            assert phase() == "busy"
            raise LookupError
    except LookupError:
        pass
    assert phase() == "idle"


def test_the_process_is_busy_while_any_thread_is() -> None:
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with busy():
            inside.set()
            leave.wait(30)

    other = threading.Thread(target=work)
    other.start()
    assert inside.wait(30)
    with busy():
        pass
    assert phase() == "busy"
    leave.set()
    other.join()
    assert phase() == "idle"


def test_it_is_at_a_safe_point_when_each_busy_block_is() -> None:
    async def worker(arrived: asyncio.Event, leave: asyncio.Event) -> None:
        async with busy(), safe_point():
            arrived.set()
            await leave.wait()

    async def all_of_them() -> list[Phase]:
        first, leave = asyncio.Event(), asyncio.Event()
        tasks = [asyncio.ensure_future(worker(first, leave))]
        await first.wait()
        seen = [phase()]
        async with busy():
            seen.append(phase())
            async with safe_point():
                seen.append(phase())
        leave.set()
        await asyncio.gather(*tasks)
        return [*seen, phase()]

    assert asyncio.run(all_of_them()) == ["safe", "busy", "safe", "idle"]


def test_a_safe_point_outside_of_work_is_idle_still() -> None:
    with safe_point():
        assert phase() == "idle"
    assert activity.said().safe_points == 1


def test_the_phase_lasts_while_it_stays_the_same() -> None:
    idle()
    since = activity._since
    with safe_point():
        pass
    idle()
    assert activity._since == since, "idle all along"
    with busy():
        assert activity._since > since


def test_progress_is_counted_by_blocks_and_beats() -> None:
    assert activity.said().beat_seconds is None
    beat()
    with busy():
        beat()
    said = activity.said()
    assert said.beats == 4
    assert said.beat_seconds is not None


def test_a_checkpoint_is_asked_for_once_until_it_was_taken() -> None:
    activity.request_checkpoint()
    activity.request_checkpoint()
    assert checkpoint_wanted()
    assert activity.said().checkpoints_requested == 1
    checkpoint_taken()
    assert not checkpoint_wanted()
    said = activity.said()
    assert (said.checkpoints_taken, said.safe_points) == (1, 1)
    activity.request_checkpoint()
    assert checkpoint_wanted()


def test_a_checkpoint_that_nobody_asked_for_is_a_safe_point() -> None:
    checkpoint_taken()
    said = activity.said()
    assert (said.checkpoints_requested, said.checkpoints_taken, said.safe_points) == (0, 0, 1)


def test_a_child_that_leaves_its_parents_block_is_not_less_than_idle() -> None:
    child = -1
    with busy():
        child = os.fork()
    if child == 0:
        code = 1
        try:
            undeclared = phase() == "undeclared"
            with busy():
                code = 0 if undeclared and phase() == "busy" else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert phase() == "idle"
