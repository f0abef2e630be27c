"""Asks agents how they are: of each pod the status that its guard serves (docs/guard.md).

What answers is whoever owns the sandbox, and may answer anything, slowly, or for ever.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from corral_guard.document import MAX_POD_BYTES, Refused, parse_pod
from corral_guard.document import Pod as Said
from warden.exporter.agents import Agents
from warden.exporter.kept import Pod
from warden.exporter.table import Table

log = logging.getLogger(__name__)

PORT = 9797
AT_ONCE = 64
ROUND_SECONDS = 60.0
"""Between two questions to the same pod."""
TICK_SECONDS = 5.0
"""Until it is looked again whose turn it is: one that is new waits no longer."""
SILENT_ROUNDS = 5
"""Whoever gave no status is asked again after so many rounds: most have no guard."""
ANSWER_SECONDS = 2.0
FRESH_ROUNDS = 3
"""For so many rounds an answer is believed."""

ANSWERED, REFUSED, SILENT = "answered", "refused", "silent"
RESULTS = (ANSWERED, REFUSED, SILENT)


class Asking:
    """Round after round, all running pods."""

    def __init__(
        self,
        pods: Callable[[], Iterable[Pod]],
        agents: Agents,
        table: Table,
        *,
        port: int = PORT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.results: Counter[str] = Counter()
        self.heard: float | None = None
        """When a round was last over."""
        self._pods = pods
        self._agents = agents
        self._table = table
        self._port = port
        self._clock = clock
        self._due: dict[str, float] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        session = ClientSession(
            connector=TCPConnector(limit=AT_ONCE, force_close=True),
            timeout=ClientTimeout(total=ANSWER_SECONDS),
            cookie_jar=DummyCookieJar(),
            # A few bytes could become gigabytes.
            auto_decompress=False,
            trust_env=False,
            headers={"Accept-Encoding": "identity"},
        )
        async with session:
            while True:
                await self.round(session)
                await asyncio.sleep(TICK_SECONDS)

    async def round(self, session: ClientSession) -> None:
        """One question to everybody whose turn it is."""
        everybody = list(self._pods())
        uids = {pod.uid for pod in everybody}
        self._due = {uid: at for uid, at in self._due.items() if uid in uids}
        self._agents.keep(uids, self._clock())
        turn = iter([pod for pod in everybody if self._turn(pod)])
        workers = [asyncio.create_task(self._work(session, turn)) for _ in range(AT_ONCE)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
        self.heard = self._clock()

    def _turn(self, pod: Pod) -> bool:
        if not (pod.running and pod.address) or pod.quarantined:
            return False
        return self._clock() >= self._due.get(pod.uid, 0.0)

    async def _work(self, session: ClientSession, turn: Iterable[Pod]) -> None:
        for pod in turn:
            said, result = await self._ask(session, pod.address)
            self.results[result] += 1
            rounds = SILENT_ROUNDS if said is None else 1
            self._due[pod.uid] = self._clock() + rounds * ROUND_SECONDS
            if said is not None:
                of = self._table.classes.get(pod.agent_class)
                self._agents.heard(pod.uid, said, of, self._clock())

    async def _ask(self, session: ClientSession, address: str) -> tuple[Said | None, str]:
        try:
            host = ipaddress.ip_address(address)
            where = f"[{host}]" if host.version == 6 else str(host)  # noqa: PLR2004
            url = f"http://{where}:{self._port}/status"
            async with session.get(url, allow_redirects=False) as response:
                if response.status != 200:  # noqa: PLR2004
                    return None, REFUSED
                data = bytearray()
                async for chunk in response.content.iter_any():
                    data += chunk
                    if len(data) > MAX_POD_BYTES:
                        return None, REFUSED
            return parse_pod(bytes(data)), ANSWERED
        except Refused:
            return None, REFUSED
        # ValueError: what aiohttp makes of some broken answers.
        except (TimeoutError, ClientError, OSError, ValueError):
            return None, SILENT
