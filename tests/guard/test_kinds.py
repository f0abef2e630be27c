"""Whatever kind of function is guarded, it stays what it was."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import pickle
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import pytest

from corral_guard import MemoryGrowth, guard, watch
from corral_guard.books import books
from tests.guard.growing import HALF, MIB, PART, grown, guarded


def test_name_signature_and_documentation_stay() -> None:
    assert guarded.__name__ == "guarded"
    assert guarded.__doc__ == "Grows by `size`, or twice that."
    assert list(inspect.signature(guarded).parameters) == ["size", "twice"]
    assert guarded.__module__ == "tests.guard.growing"


def test_guarded_functions_and_what_they_raise_can_be_pickled() -> None:
    again = pickle.loads(pickle.dumps(guarded))  # noqa: S301 - our own
    assert again is guarded
    with pytest.raises(MemoryGrowth) as raised:
        again(PART)
    copy = pickle.loads(pickle.dumps(raised.value))  # noqa: S301 - our own
    assert (str(copy), copy.growth) == (str(raised.value), raised.value.growth)


def test_kinds_are_still_told_apart() -> None:
    @guard()
    async def coroutine() -> None: ...

    @guard()
    def generator() -> Iterator[int]:
        yield 1

    @guard()
    async def both() -> AsyncIterator[int]:
        yield 1

    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isgeneratorfunction(generator)
    assert inspect.isasyncgenfunction(both)


def test_a_name_comes_from_the_code() -> None:
    guarded_partial = guard()(functools.partial(int, base=2))
    assert guarded_partial("101") == 5

    class Tool:
        @guard()
        def run(self) -> Tool:
            return self

        @guard()
        @staticmethod
        def plain() -> int:
            return 1

        @guard()
        @classmethod
        def made(cls) -> type:
            return cls

    tool = Tool()
    assert tool.run() is tool
    assert Tool.plain() == tool.plain() == 1
    assert Tool.made() is tool.made() is Tool
    # Characters that labels don't have, and the end of what is long.
    assert any(name.endswith("<locals>.Tool.run") for name in books.figures())


def test_an_object_that_is_called_is_guarded_as_its_call() -> None:
    class Asks:
        async def __call__(self) -> int:
            return 7

    assert asyncio.run(guard("asks")(Asks())()) == 7
    assert books.figures()["asks"].ended == 1


@pytest.mark.parametrize("what", [int, 3, None])
def test_what_can_not_be_guarded_is_refused(what: Any) -> None:
    with pytest.raises(TypeError, match="a guard is for functions"):
        guard("x")(what)


def test_a_decorator_without_its_call_is_refused() -> None:
    with pytest.raises(TypeError, match=r"write @guard\(\)"):

        @guard  # type: ignore[arg-type]  # what is refused
        def function() -> None: ...


def test_guarding_a_context_manager_from_outside_is_refused() -> None:
    with pytest.raises(TypeError, match="below @contextmanager"):

        @guard()
        @contextlib.contextmanager
        def manager() -> Iterator[None]:
            yield


def test_a_context_manager_is_guarded_without_its_block() -> None:
    kept: list[bytes] = []

    @contextlib.contextmanager
    @guard("manager")
    def manager() -> Iterator[str]:
        kept.append(grown())
        yield "inside"

    with manager() as value:
        assert value == "inside"
        kept.append(grown())
    assert abs(books.figures()["manager"].grown - PART) < MIB, "the block is its user's"


def test_a_generator_sends_throws_and_returns_as_before() -> None:
    @guard()
    def echo() -> Any:
        got: list[Any] = []
        while len(got) < 3:
            try:
                got.append((yield len(got)))
            except LookupError as error:
                got.append(str(error))
        return got

    running = echo()
    assert next(running) == 0
    assert running.send("a") == 1
    assert running.throw(LookupError("b")) == 2
    with pytest.raises(StopIteration) as stopped:
        running.send("c")
    assert stopped.value.value == ["a", "b", "c"]


def test_between_two_items_growth_is_the_users_unless_asked_for() -> None:
    kept: list[bytes] = []

    def items() -> Iterator[int]:
        yield 1
        kept.append(grown())
        yield 2

    for name, whole in (("own", False), ("whole", True)):
        for _ in guard(name, while_stopped=whole)(items)():
            kept.append(grown(PART))
    figures = books.figures()
    assert abs(figures["own"].grown - PART) < MIB
    assert abs(figures["whole"].grown - 3 * PART) < MIB


def test_a_generator_closed_early_cleans_up_and_is_counted() -> None:
    cleaned = []

    @guard("closed")
    def items() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            cleaned.append(True)

    for _ in items():
        break
    gc.collect()
    assert cleaned == [True]
    assert books.figures()["closed"].ended == 1
    assert books.running() == []


def test_a_generator_that_was_never_begun_was_no_call() -> None:
    @guard("never")
    def items() -> Generator[int, None, None]:
        yield 1

    items().close()
    assert books.figures() == {}


def test_a_generator_that_grew_too_much_may_clean_up() -> None:
    kept: list[bytes] = []
    seen: list[str] = []

    @guard(max_growth=HALF, on_growth="raise")
    def items() -> Iterator[int]:
        try:
            for number in range(9):
                kept.append(grown(PART if number == 2 else 1))
                yield number
        except MemoryGrowth:
            seen.append("inside")
            raise

    got = []
    with pytest.raises(MemoryGrowth):
        for number in items():
            got.append(number)
    assert got == [0, 1]
    assert seen == ["inside"]


def test_a_coroutine_that_grew_too_much_is_told_where_it_waits_and_cleans_up_with_waits() -> None:
    kept: list[bytes] = []
    cleaned = []

    @guard(max_growth=HALF, on_growth="raise")
    async def works() -> None:
        try:
            kept.append(grown())
            await asyncio.sleep(0)
            pytest.fail("it went on")
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    with pytest.raises(MemoryGrowth):
        asyncio.run(works())
    assert cleaned == [True]


def test_a_cancelled_coroutine_is_cancelled() -> None:
    @guard("cancelled")
    async def waits() -> None:
        await asyncio.Event().wait()

    async def cancel() -> None:
        task = asyncio.ensure_future(waits())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(cancel())
    assert books.figures()["cancelled"].ended == 1
    assert books.running() == []


def test_a_coroutine_returns_and_fails_as_before() -> None:
    @guard()
    async def answers(value: int) -> int:
        await asyncio.sleep(0)
        if value < 0:
            raise LookupError("its own")
        return value

    assert asyncio.run(answers(3)) == 3
    with pytest.raises(LookupError, match="its own"):
        asyncio.run(answers(-1))


def test_tasks_that_take_turns_each_have_their_own_growth() -> None:
    kept: list[bytes] = []

    @guard("grows")
    async def grows() -> None:
        for _ in range(3):
            kept.append(grown())
            await asyncio.sleep(0)

    @guard("idles")
    async def idles() -> None:
        for _ in range(9):
            await asyncio.sleep(0)

    async def together() -> None:
        await asyncio.gather(grows(), *(idles() for _ in range(5)))

    asyncio.run(together())
    figures = books.figures()
    assert abs(figures["grows"].grown - 3 * PART) < MIB
    assert figures["idles"].grown < MIB, "another's memory was counted here"


def test_work_in_a_thread_is_counted_where_waits_are() -> None:
    kept: list[bytes] = []

    async def hands_over() -> None:
        loop = asyncio.get_running_loop()
        waits = threading.Event()
        loop.call_soon(waits.set)
        await loop.run_in_executor(None, lambda: kept.append(grown(PART * waits.wait(30))))

    asyncio.run(guard("own")(hands_over)())
    asyncio.run(guard("whole", while_stopped=True)(hands_over)())
    figures = books.figures()
    assert figures["own"].grown < HALF
    assert figures["whole"].grown > PART - MIB


def test_a_block_of_async_with_is_watched_and_never_called_alone() -> None:
    kept: list[bytes] = []

    async def works() -> None:
        async with watch("block", max_growth=HALF, on_growth="raise"):
            kept.append(grown())
            await asyncio.sleep(0)

    with pytest.raises(MemoryGrowth, match="at the same time") as raised:
        asyncio.run(works())
    assert not raised.value.growth.alone


def test_an_asynchronous_generator_sends_throws_and_closes_as_before() -> None:
    cleaned = []

    @guard("stream", max_growth=HALF, on_growth="raise")
    async def stream() -> Any:
        try:
            got = yield 0
            try:
                yield got
            except LookupError as error:
                await asyncio.sleep(0)
                yield str(error)
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    async def use() -> None:
        running = stream()
        assert await running.__anext__() == 0
        assert await running.asend("a") == "a"
        assert await running.athrow(LookupError("b")) == "b"
        await running.aclose()
        assert cleaned == [True]
        assert [item async for item in stream()] == [0, None]

    asyncio.run(use())
    assert books.figures()["stream"].ended == 2


def test_an_asynchronous_generator_that_grew_too_much_is_told_where_it_yields() -> None:
    kept: list[bytes] = []
    cleaned = []

    @guard(max_growth=HALF, on_growth="raise")
    async def stream() -> AsyncIterator[int]:
        try:
            for number in range(9):
                kept.append(grown(PART if number == 2 else 1))
                yield number
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    async def use() -> list[int]:
        got = []
        with pytest.raises(MemoryGrowth):
            async for number in stream():
                got.append(number)
        return got

    assert asyncio.run(use()) == [0, 1]
    assert cleaned == [True]


def test_an_asynchronous_context_manager_is_guarded_without_its_block() -> None:
    kept: list[bytes] = []

    @contextlib.asynccontextmanager
    @guard("manager")
    async def manager() -> AsyncIterator[None]:
        await asyncio.sleep(0)
        yield

    async def use() -> None:
        async with manager():
            kept.append(grown())
        with pytest.raises(LookupError):
            async with manager():
                raise LookupError

    asyncio.run(use())
    assert books.figures()["manager"].ended == 2
    assert books.figures()["manager"].grown < MIB
