"""Answers `/status` and `/metrics` for the whole pod, to one client after the other."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import Callable

from corral_guard.document import Pod, encode, pod_document
from corral_guard.figures import CONTENT_TYPE, exposition

MAX_REQUEST = 4096
PATIENCE = 1.0
"""Seconds that one client has for its request and for taking the answer."""
_MAX_PORT = 65535


def address(text: str) -> tuple[str, int]:
    """`0.0.0.0:9797`, `[::]:9797` or `:9797` (all of IPv4). ValueError for others."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""
    if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) <= _MAX_PORT:
        raise ValueError(f"an address to listen on is HOST:PORT such as 0.0.0.0:9797, not {text!r}")
    return host or "0.0.0.0", int(port)  # noqa: S104 - a pod is reached by its own address; policy says by whom


class Server:
    """OSError where the address is taken: another process of the pod answers then."""

    def __init__(self, host: str, port: int, pod: Callable[[], Pod]) -> None:
        self._pod = pod
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=8)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    def serve(self, seconds: float, stopped: Callable[[], bool]) -> None:
        """Answers for that long, or until it is shut down."""
        end = time.monotonic() + seconds
        while not stopped():
            left = end - time.monotonic()
            if left <= 0:
                return
            try:
                self._socket.settimeout(left)
                client, _ = self._socket.accept()
            except OSError:  # nobody came, or it was shut down
                if stopped():
                    return
                if time.monotonic() < end:
                    # Out of descriptors, say: the time is still to be waited for.
                    time.sleep(min(PATIENCE, max(0.0, end - time.monotonic())))
                return
            with client, contextlib.suppress(OSError):
                self._answer(client)

    def _answer(self, client: socket.socket) -> None:
        end = time.monotonic() + PATIENCE
        asked = b""
        while b"\r\n\r\n" not in asked:
            if len(asked) > MAX_REQUEST:
                return _send(client, end, "431 Request Header Fields Too Large")
            client.settimeout(_left(end))
            part = client.recv(MAX_REQUEST)
            if not part:
                return None
            asked += part
        method, _, rest = asked.partition(b"\r\n")[0].partition(b" ")
        target = rest.partition(b" ")[0].partition(b"?")[0]
        if method != b"GET":
            return _send(client, end, "405 Method Not Allowed")
        if target == b"/status":
            return _send(
                client, end, "200 OK", encode(pod_document(self._pod())), "application/json"
            )
        if target == b"/metrics":
            return _send(client, end, "200 OK", exposition(self._pod()), CONTENT_TYPE)
        return _send(client, end, "404 Not Found")

    def wake(self) -> None:
        """Ends a wait in `serve`."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Listens no more."""
        self._socket.close()

    def forked(self) -> None:
        """In a forked child: closes its copy, and only that."""
        with contextlib.suppress(OSError):
            os.close(self._socket.detach())


def _send(
    client: socket.socket,
    end: float,
    status: str,
    body: bytes = b"",
    kind: str | None = None,
) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    if kind:
        head += f"Content-Type: {kind}\r\nX-Content-Type-Options: nosniff\r\n"
    client.settimeout(_left(end))
    client.sendall(head.encode("ascii") + b"\r\n" + body)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
