"""The socket that sandboxes of the node connect to, each with a connection of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from warden.seccheck.sandbox import Sandbox, Shared
from warden.seccheck.wire import HANDSHAKE, LONGEST, VERSION, MalformedError, handshake_version

MOST_SANDBOXES = 1024
BACKLOG = 256
AT_A_TIME = 256
"""Datagrams of one sandbox before others have their turn."""


class Server:
    """Listens until it is closed."""

    def __init__(self, path: Path, shared: Shared, tell: Callable[[dict[str, Any]], None]) -> None:
        self._path, self._shared, self._tell = path, shared, tell
        self._tasks: set[asyncio.Task[None]] = set()
        self._buffer = bytearray(LONGEST)
        self._listener: socket.socket | None = None

    @property
    def listening(self) -> bool:
        """Whether sandboxes can connect."""
        return self._listener is not None

    async def run(self) -> None:
        """Accepts sandboxes until cancelled."""
        with contextlib.closing(self._bound()) as listener:
            self._listener = listener
            loop = asyncio.get_running_loop()
            try:
                while True:
                    connection, _ = await loop.sock_accept(listener)
                    if len(self._tasks) >= MOST_SANDBOXES:
                        self._shared.measures.refused.labels("too many").inc()
                        connection.close()
                        continue
                    task = asyncio.create_task(self._serve(connection))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            finally:
                self._listener = None
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def _bound(self) -> socket.socket:
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        listener.bind(str(self._path))
        # runsc connects as root. Nobody else has anything to tell here.
        self._path.chmod(0o600)
        listener.listen(BACKLOG)
        return listener

    async def _serve(self, connection: socket.socket) -> None:
        sandbox, measures = Sandbox(shared=self._shared), self._shared.measures
        loop = asyncio.get_running_loop()
        connection.setblocking(False)
        measures.sandboxes.inc()
        try:
            first = await loop.sock_recv(connection, LONGEST)
            if handshake_version(first) < VERSION:
                measures.refused.labels("version").inc()
                return
            await loop.sock_sendall(connection, HANDSHAKE)
            while True:
                await _readable(connection)
                if not self._read(connection, sandbox):
                    return
                await asyncio.sleep(0)
        except MalformedError:
            measures.refused.labels("malformed").inc()
        except ConnectionError:
            pass  # a sandbox that was killed
        finally:
            sandbox.end()
            measures.sandboxes.dec()
            connection.close()

    def _read(self, connection: socket.socket, sandbox: Sandbox) -> bool:
        """Takes what is there; False once the sandbox has ended."""
        for _ in range(AT_A_TIME):
            try:
                length, _data, flags, _address = connection.recvmsg_into([self._buffer])
            except BlockingIOError:
                return True
            if not length:
                return False
            if flags & socket.MSG_TRUNC:
                self._shared.measures.refused.labels("long").inc()
                continue
            for detection in sandbox.take(bytes(self._buffer[:length])):
                self._tell(detection)
        return True


async def _readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(connection, _done, ready)
    try:
        await ready
    finally:
        loop.remove_reader(connection)


def _done(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
