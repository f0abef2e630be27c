"""The decorator `guard(…)` and the block `watch(…)`."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Generator
from typing import Any, Callable, TypeVar, cast

from corral_guard.calls import Action, Call, Terms, terms
from corral_guard.limits import Limits, Size, limits
from corral_guard.memory import Measure, meter
from corral_guard.process import process

F = TypeVar("F", bound=Callable[..., Any])


class guard:  # noqa: N801 - reads as what it is at every use: a decorator
    """Watches every call of a function.

    `name` stands in metrics; default: the function's module and qualified name.
    `max_growth` (bytes, or "256MiB") and `max_ratio` (against the memory at the call's beginning)
    limit by how much a call may grow this process's memory; with neither it is measured only.
    `on_growth` is what follows, once for each call: "report" (metrics and status), "checkpoint"
    (the agent is asked for one), "raise" (MemoryGrowth, at the call's end or at `check()`), or a
    function of one Growth, called by whichever thread saw it.
    `measure` is "rss" or "uss", `children` adds all descendants: both cost milliseconds a call.
    `while_stopped` counts what grew while a generator was between two items or a coroutine waited
    too: right where the work is done elsewhere (threads, executors), wrong where others run then.

    Functions, coroutine functions, generator functions and asynchronous ones stay what they are.
    ValueError for what can't be meant, TypeError for what can't be guarded.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        max_growth: Size | None = None,
        max_ratio: float | None = None,
        on_growth: Action = "report",
        measure: Measure = "rss",
        children: bool = False,
        while_stopped: bool = False,
    ) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError("write @guard(): the decorator is called, with a name or without")
        self._name = name
        self._limits: Limits = limits(max_growth, max_ratio)
        self._action = action_with_limits(on_growth, self._limits)
        self._read = meter(measure, children=children)
        self._while_stopped = while_stopped
        # Refused here rather than at the first use.
        terms(name or "unnamed", self._limits, on_growth, self._read)

    def __call__(self, function: F) -> F:
        if isinstance(function, (staticmethod, classmethod)):
            return cast(F, type(function)(self(function.__func__)))
        _refuse(function)
        named = self._name or _qualified(function)
        agreed = terms(named, self._limits, self._action, self._read)
        return cast(F, _wrapped(function, agreed, whole=self._while_stopped))


def watch(
    name: str,
    *,
    max_growth: Size | None = None,
    max_ratio: float | None = None,
    on_growth: Action = "report",
    measure: Measure = "rss",
    children: bool = False,
) -> Call:
    """`with watch("index", …) as call:` or `async with`: one block, its arguments as `guard`'s.

    Memory is read at the block's two ends: what others do meanwhile counts. `call.growth` is
    bytes so far; `call.check()` looks in the middle.
    """
    bounds = limits(max_growth, max_ratio)
    read = meter(measure, children=children)
    process.watching(bounds)
    return Call(terms(name, bounds, action_with_limits(on_growth, bounds), read))


def action_with_limits(action: Action, bounds: Limits) -> Action:
    """ValueError where nothing could ever lead to the action."""
    if action != "report" and not bounds:
        raise ValueError("on_growth waits for a limit: give max_growth or max_ratio")
    return action


def _refuse(function: object) -> None:
    if inspect.isclass(function) or not callable(function):
        raise TypeError(f"a guard is for functions, not for {function!r}: guard its methods")
    if getattr(function, "__globals__", None) is vars(contextlib):
        raise TypeError(
            "put @guard() below @contextmanager or @asynccontextmanager: above, it would see the "
            "manager being made and not the block"
        )


def _qualified(function: Callable[..., Any]) -> str:
    inner = inspect.unwrap(function)
    while isinstance(inner, functools.partial):
        inner = inner.func
    named = inner if hasattr(inner, "__qualname__") else type(inner)
    return f"{named.__module__}.{named.__qualname__}"


def _wrapped(function: Callable[..., Any], agreed: Terms, *, whole: bool) -> Callable[..., Any]:
    # An object with an asynchronous __call__ is as good as the function.
    kind = function if inspect.isroutine(function) else _called(function)
    if inspect.isasyncgenfunction(kind):
        return _async_generator(function, agreed, whole=whole)
    if inspect.iscoroutinefunction(kind):
        return _coroutine(function, agreed, whole=whole)
    if inspect.isgeneratorfunction(kind):
        return _generator(function, agreed, whole=whole)
    return _plain(function, agreed)


def _called(function: Callable[..., Any]) -> Callable[..., Any]:
    if isinstance(function, functools.partial):
        return function
    return type(function).__call__


def _plain(function: Callable[..., Any], agreed: Terms) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        process.watching(agreed.limits)
        call = Call(agreed)
        try:
            call.resume()
            result = function(*args, **kwargs)
        except BaseException:
            call.close(failed=True)
            raise
        call.close(failed=False)
        return result

    return guarded


def _coroutine(function: Callable[..., Any], agreed: Terms, *, whole: bool) -> Callable[..., Any]:
    @functools.wraps(function)
    async def guarded(*args: Any, **kwargs: Any) -> Any:
        process.watching(agreed.limits)
        if whole:
            async with Call(agreed):
                return await function(*args, **kwargs)
        call = Call(agreed)
        try:
            call.resume()
            inner = function(*args, **kwargs)
            call.pause()
            result = await _Steps(call, inner)
        except BaseException:
            call.close(failed=True)
            raise
        call.close(failed=False)
        return result

    return guarded


def _generator(function: Callable[..., Any], agreed: Terms, *, whole: bool) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        process.watching(agreed.limits)
        if whole:
            with Call(agreed):
                return (yield from function(*args, **kwargs))
        call = Call(agreed)
        try:
            result = yield from _steps(call, function(*args, **kwargs))
        except BaseException:
            call.close(failed=True)
            raise
        call.close(failed=False)
        return result

    return guarded


def _async_generator(
    function: Callable[..., Any], agreed: Terms, *, whole: bool
) -> Callable[..., Any]:
    @functools.wraps(function)
    async def guarded(*args: Any, **kwargs: Any) -> Any:
        process.watching(agreed.limits)
        call = Call(agreed)
        inner = function(*args, **kwargs)
        try:
            if whole:
                await call.__aenter__()
            step = inner.__anext__()
            while True:
                try:
                    item = await (step if whole else _Steps(call, step))
                except StopAsyncIteration:
                    break
                owed = call.owed()
                if owed is not None:
                    step = inner.athrow(owed)
                    continue
                try:
                    sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as error:
                    step = inner.athrow(error)
                else:
                    step = inner.asend(sent)
        except BaseException:
            # Its own cleaning up is part of it, and waits like any other step.
            try:
                await (inner.aclose() if whole else _Steps(call, inner.aclose()))
            finally:
                call.close(failed=True)
            raise
        call.close(failed=False)

    return guarded


class _Steps:
    """Awaits a coroutine, and counts what it does between its waits."""

    __slots__ = ("_call", "_inner")

    def __init__(self, call: Call, inner: Any) -> None:
        self._call = call
        self._inner = inner

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self._inner
        # A coroutine, or one step of an asynchronous generator: both are stepped alike.
        return _steps(self._call, inner if hasattr(inner, "send") else inner.__await__())


def _steps(call: Call, inner: Any) -> Generator[Any, Any, Any]:
    """`yield from inner` (PEP 380), with the call stopped at each yield.

    Where limits were passed and raising was asked for, MemoryGrowth is thrown into `inner` at that
    yield: it may clean up, and wait for that too.
    """
    advance: Callable[[Any], Any] = inner.send
    given: Any = None
    while True:
        call.resume()
        try:
            item = advance(given)
        except StopIteration as stop:
            return stop.value
        finally:
            call.pause()
        owed = call.owed()
        if owed is not None:
            advance, given = inner.throw, owed
            continue
        try:
            given = yield item
            advance = inner.send
        except GeneratorExit:
            call.resume()
            try:
                inner.close()
            finally:
                call.pause()
            raise
        except BaseException as error:
            advance, given = inner.throw, error
