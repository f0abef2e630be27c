"""Agents are asked over real HTTP, and answer whatever they like."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import ClientSession, ClientTimeout, web

from corral_guard.document import MAX_POD_BYTES, parse_pod
from tests.warden.exporter.state import NOW, TABLE, World, pod
from tests.warden.exporter.statuses import process, status
from warden.exporter.asking import ANSWERED, REFUSED, ROUND_SECONDS, SILENT, SILENT_ROUNDS, Asking

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def agent(handler: Handler) -> AsyncIterator[int]:
    """One that answers so; its port."""
    app = web.Application()
    app.router.add_get("/{any:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def body(data: bytes, **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=data, headers=headers)

    return answer


async def for_ever(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while True:
            await response.write(b" " * 65536)
    return response


async def never(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3600)
    return web.Response()


async def elsewhere(request: web.Request) -> web.StreamResponse:
    """Where it leads to there would be a good answer."""
    if request.path == "/status":
        raise web.HTTPFound("/another")
    return web.Response(body=status(process()))


async def asked(handler: Handler, *, rounds: int = 1) -> tuple[World, Asking]:
    """After that many rounds of one pod with such an agent, each a minute after the last."""
    minutes = 0
    world = World()
    world.put(pod("a", address="127.0.0.1"))
    async with (
        agent(handler) as port,
        ClientSession(timeout=ClientTimeout(total=0.5), auto_decompress=False) as session,
    ):
        asking = Asking(
            world.cluster.reachable,
            world.agents,
            TABLE,
            port=port,
            clock=lambda: NOW + minutes * ROUND_SECONDS,
        )
        for minutes in range(rounds):  # noqa: B007 - the clock reads it
            await asking.round(session)
    return world, asking


def phase(world: World) -> str:
    found = world.agents.agent("uid-of-agents-acme-a", NOW)
    return found.state.phase if found else "none"


def test_what_it_says_is_taken() -> None:
    world, asking = asyncio.run(asked(body(status(process(phase="idle")))))
    assert asking.results == {ANSWERED: 1}
    assert phase(world) == "idle"


@pytest.mark.parametrize(
    ("handler", "result"),
    [
        pytest.param(body(b"{}"), REFUSED, id="no status"),
        pytest.param(body(b"[" * 200_000), REFUSED, id="deep"),
        pytest.param(body(b" " * (MAX_POD_BYTES + 1)), REFUSED, id="long"),
        pytest.param(for_ever, REFUSED, id="for ever"),
        pytest.param(never, SILENT, id="never"),
        pytest.param(elsewhere, REFUSED, id="a redirect"),
        pytest.param(
            body(gzip.compress(status(process())), **{"Content-Encoding": "gzip"}),
            REFUSED,
            id="compressed, though nobody asked for that",
        ),
        pytest.param(body(status(process(phase_seconds=1e300))), REFUSED, id="out of bounds"),
        pytest.param(body(status(process(), process())), REFUSED, id="an instance twice"),
    ],
)
def test_anything_else_is_no_answer(handler: Handler, result: str) -> None:
    world, asking = asyncio.run(asked(handler))
    assert asking.results == {result: 1}
    assert phase(world) == "none"


def test_who_has_no_guard_is_asked_now_and_then() -> None:
    _, asking = asyncio.run(asked(body(b"{}"), rounds=SILENT_ROUNDS + 1))
    assert asking.results[REFUSED] == 2


def test_who_answers_is_asked_once_a_minute() -> None:
    _, asking = asyncio.run(asked(body(status(process())), rounds=3))
    assert asking.results[ANSWERED] == 3


def test_an_address_that_is_none_is_not_asked() -> None:
    world = World()
    world.put(pod("a", address="169.254.169.254@evil.example.org"), pod("b", address=""))
    asking = Asking(world.cluster.reachable, world.agents, TABLE, clock=lambda: NOW)

    async def one_round() -> None:
        async with ClientSession() as session:
            await asking.round(session)

    asyncio.run(one_round())
    assert asking.results == {SILENT: 1}


def test_many_that_never_answer_hold_nobody_up_for_long() -> None:
    """As many as are asked at once, and one more, which has its turn."""
    world = World()
    world.put(*(pod(f"p{number}", address="127.0.0.1") for number in range(65)))

    async def one_round() -> Asking:
        async with agent(never) as port, ClientSession(timeout=ClientTimeout(total=0.2)) as session:
            asking = Asking(
                world.cluster.reachable, world.agents, TABLE, port=port, clock=lambda: NOW
            )
            async with asyncio.timeout(10):
                await asking.round(session)
            return asking

    assert asyncio.run(one_round()).results == {SILENT: 65}


@pytest.mark.parametrize(
    ("sequences", "expected"), [((1, 2), "idle"), ((1, 1), "unknown"), ((1, 1, 2), "idle")]
)
def test_a_process_that_stands_still_isn_t_believed(
    sequences: tuple[int, ...], expected: str
) -> None:
    """A stopped process keeps its lock, and its last word."""
    world = World()
    world.put(pod("a"))
    for number, sequence in enumerate(sequences):
        at = NOW - 60 * (len(sequences) - 1 - number)
        told = parse_pod(status(process(sequence=sequence)))
        world.agents.heard("uid-of-agents-acme-a", told, TABLE.classes["worker"], at)
    assert phase(world) == expected
