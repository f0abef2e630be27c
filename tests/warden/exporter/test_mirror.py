"""What is kept of the API server's objects, whatever breaks on the way: a played one, over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from kubernetes_asyncio import client

from tests.warden.egress.ports import free_port
from warden.exporter import mirror
from warden.exporter.mirror import Listing, Mirror

PATIENCE = 10.0


class ApiServer:
    """Pods by name, pages of two, and a watch that says what is put into its queue."""

    def __init__(self) -> None:
        self.port = free_port()
        self.names = ["a", "b", "c", "d", "e"]
        self.asked: list[dict[str, str]] = []
        self.events: asyncio.Queue[dict[str, Any] | bytes | None] = asyncio.Queue()
        self.absent = False
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/{any:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(dict(request.query))
        if self.absent:
            return web.json_response({"kind": "Status"}, status=404)
        if request.query.get("watch"):
            return await self._watch(request)
        begins = int(request.query.get("continue", 0))
        names = self.names[begins : begins + 2]
        more = str(begins + 2) if begins + 2 < len(self.names) else ""
        meta = {"resourceVersion": "7", "continue": more}
        return web.json_response({"metadata": meta, "items": [_pod(name) for name in names]})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while (event := await self.events.get()) is not None:
            data = event if isinstance(event, bytes) else json.dumps(event).encode() + b"\n"
            await response.write(data)
        return response


def _pod(name: str, version: str = "8", **labels: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "n",
            "resourceVersion": version,
            "labels": labels,
        }
    }


def kept(document: dict[str, Any]) -> str:
    if document["metadata"]["name"] == "broken":
        raise KeyError("what it needs")
    return str(document["metadata"]["labels"].get("x", ""))


@contextlib.asynccontextmanager
async def mirrored(server: ApiServer) -> AsyncIterator[Mirror[str]]:
    configuration = client.Configuration(host=f"http://127.0.0.1:{server.port}")
    async with client.ApiClient(configuration) as api:
        found: Mirror[str] = Mirror(api, Listing(path="/api/v1/pods", selector="x"), kept)
        running = asyncio.create_task(found.run())
        try:
            yield found
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await server.events.put(None)
            await server.stop()


async def until(question: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not question():
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(mirror, "ABSENT_SECONDS", 0.05)


def test_pages_are_put_together_and_events_follow() -> None:
    async def scenario() -> None:
        server = ApiServer()
        await server.start()
        async with mirrored(server) as found:
            await until(lambda: len(found.items) == 5)
            assert all(asked["labelSelector"] == "x" for asked in server.asked)
            await server.events.put({"type": "ADDED", "object": _pod("f", "9", x="1")})
            await server.events.put({"type": "MODIFIED", "object": _pod("a", "10", x="2")})
            await server.events.put({"type": "DELETED", "object": _pod("b", "11")})
            await server.events.put({"type": "BOOKMARK", "object": _pod("", "12")})
            await until(lambda: found.items.get("n/f") == "1" and "n/b" not in found.items)
            assert found.items["n/a"] == "2"
            assert "n/" not in found.items, "a bookmark is no object"

    asyncio.run(scenario())


def test_an_event_may_come_in_pieces() -> None:
    async def scenario() -> None:
        server = ApiServer()
        await server.start()
        async with mirrored(server) as found:
            await until(lambda: len(found.items) == 5)
            line = json.dumps({"type": "ADDED", "object": _pod("f", "9", x="1")}).encode()
            for piece in (line[:7], line[7:40], line[40:] + b"\n\n"):
                await server.events.put(piece)
            await until(lambda: found.items.get("n/f") == "1")

    asyncio.run(scenario())


def test_a_watch_goes_on_from_where_it_ended() -> None:
    async def scenario() -> None:
        server = ApiServer()
        await server.start()
        async with mirrored(server) as found:
            await until(lambda: len(found.items) == 5)
            await server.events.put({"type": "BOOKMARK", "object": _pod("", "44")})
            await server.events.put(None)
            await until(lambda: server.asked[-1].get("resourceVersion") == "44")
            assert sum("watch" not in asked for asked in server.asked) == 3, "listed once"

    asyncio.run(scenario())


def test_what_is_too_old_to_go_on_from_is_listed_anew() -> None:
    async def scenario() -> None:
        server = ApiServer()
        await server.start()
        async with mirrored(server) as found:
            await until(lambda: len(found.items) == 5)
            server.names = ["z"]
            gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410}}
            await server.events.put(gone)
            await until(lambda: set(found.items) == {"n/z"})

    asyncio.run(scenario())


def test_with_the_api_server_gone_what_was_known_stays_and_its_age_tells() -> None:
    async def scenario() -> None:
        server = ApiServer()
        await server.start()
        async with mirrored(server) as found:
            await until(lambda: len(found.items) == 5)
            await server.events.put(None)
            await server.stop()
            await asyncio.sleep(0.1)
            before = found.heard
            gone = time.time()
            await asyncio.sleep(0.2)
            assert len(found.items) == 5
            assert found.heard == before
            assert before is not None
            assert before < gone
            server.names = ["back"]
            await server.start()
            await until(lambda: set(found.items) == {"n/back"})
            await until(lambda: found.heard != before)

    asyncio.run(scenario())


def test_a_kind_that_the_cluster_has_not_has_no_objects_until_it_comes() -> None:
    async def scenario() -> None:
        server = ApiServer()
        server.absent = True
        await server.start()
        async with mirrored(server) as found:
            await until(lambda: found.heard is not None)
            assert found.items == {}
            server.absent = False
            await until(lambda: len(found.items) == 5)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "garbage",
    [b"not JSON\n", b'{"type": "ADDED"}\n', b'{"type": "ADDED", "object": {"metadata": {}}}\n'],
)
def test_what_can_t_be_read_ends_the_watch_and_not_the_exporter(garbage: bytes) -> None:
    async def scenario() -> None:
        server = ApiServer()
        await server.start()
        async with mirrored(server) as found:
            await until(lambda: len(found.items) == 5)
            server.names = ["a", "f"]
            await server.events.put(garbage)
            await until(lambda: set(found.items) == {"n/a", "n/f"})

    asyncio.run(scenario())


def test_one_object_that_can_t_be_read_is_left_alone() -> None:
    async def scenario() -> None:
        server = ApiServer()
        server.names = ["a", "broken", "c"]
        await server.start()
        async with mirrored(server) as found:
            await until(lambda: set(found.items) == {"n/a", "n/c"})

    asyncio.run(scenario())


def test_a_line_without_an_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "LONGEST_LINE", 1000)

    async def scenario() -> None:
        server = ApiServer()
        await server.start()
        async with mirrored(server) as found:
            await until(lambda: len(found.items) == 5)
            server.names = ["f"]
            await server.events.put(b"x" * 5000)
            await until(lambda: set(found.items) == {"n/f"})

    asyncio.run(scenario())
