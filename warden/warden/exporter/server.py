"""Answers scrapes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from warden.exporter.exposition import CONTENT_TYPE

AT_ONCE = 4
"""Scrapes; more wait. Two Prometheuses ask, and now and then a person."""
SCRAPE_SECONDS = 30.0
"""Whoever reads slower than that makes room for others."""


def application(
    text: Callable[[float], Iterator[bytes]],
    ready: Callable[[], bool],
    *,
    clock: Callable[[], float] = time.time,
) -> web.Application:
    """`/metrics`, `/ready` and `/healthz`."""
    own = CollectorRegistry()
    ProcessCollector(registry=own)
    scrapes = asyncio.Semaphore(AT_ONCE)

    async def metrics(request: web.Request) -> web.StreamResponse:
        async with scrapes, asyncio.timeout(SCRAPE_SECONDS):
            response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
            await response.prepare(request)
            for piece in text(clock()):
                await response.write(piece)
                # Watches and agents go on meanwhile.
                await asyncio.sleep(0)
            await response.write(generate_latest(own))
            await response.write_eof()
            return response

    async def is_ready(_: web.Request) -> web.Response:
        return web.Response(status=200 if ready() else 503)

    async def healthz(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/ready", is_ready)
    app.router.add_get("/healthz", healthz)
    return app
