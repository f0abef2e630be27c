"""Where detections go: every one to standard output, those that alert to whoever is named, too."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aiohttp

from warden.seccheck.measures import Measures

WAITING = 1000
SECONDS = 5


class Outlet:
    """Writes at once, and hands on as fast as the other side takes it."""

    def __init__(self, measures: Measures, send_to: str | None) -> None:
        self._measures, self._send_to = measures, send_to
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(WAITING)

    def tell(self, detection: dict[str, Any]) -> None:
        """One detection, with `alerts` beside what is told."""
        document = {key: value for key, value in detection.items() if key != "alerts"}
        sys.stdout.write(f"{json.dumps(document, separators=(',', ':'))}\n")
        sys.stdout.flush()
        if self._send_to is None or not detection["alerts"]:
            return
        try:
            self._waiting.put_nowait(document)
        except asyncio.QueueFull:
            self._measures.unsent.inc()

    async def run(self) -> None:
        """Hands on until cancelled."""
        if self._send_to is None:
            return
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                document = await self._waiting.get()
                try:
                    async with session.post(self._send_to, json=document) as answer:
                        answer.raise_for_status()
                except (aiohttp.ClientError, TimeoutError):
                    self._measures.unsent.inc()
