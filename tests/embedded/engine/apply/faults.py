"""A double of a bad network: an HTTP proxy in front of a real API server that fails by plan."""

from __future__ import annotations

import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

import orjson

from corral.kubernetes import Access, Unreachable
from corral.kubernetes.transport import Transport

FAULTS: Final = ("429", "500", "503", "conflict", "drop before", "drop after")
"""`drop after`: the request is carried out, and the answer is lost."""


class FaultyProxy:
    """Forwards plain HTTP to the API server that `access` leads to. Every answer is one of FAULTS
    with the probability `rate`; which ones, a seed decides."""

    def __init__(self, access: Access, *, seed: int, rate: float) -> None:
        endpoint = access.endpoint()
        self._transport = Transport(endpoint, 16)
        self._credential = endpoint.credentials.current()
        self._random = random.Random(seed)  # noqa: S311 - to be the same each time
        self._rate = rate
        self._lock = threading.Lock()
        self.dead = False
        """When set, no connection is answered any more."""
        self.left: int | None = None
        """So many requests are carried out; of the last one the answer is lost, and then it is
        dead. That is how a cluster looks after its engine was killed at this point."""
        self.injected: dict[str, int] = dict.fromkeys(FAULTS, 0)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._transport.close()

    def _fault(self, method: str) -> str | None:
        with self._lock:
            if self.left is not None:
                self.dead = self.left <= 0
                self.left -= 1
                if self.left == 0:
                    return "drop after"
            if self.dead:
                return "drop before"
            if self._random.random() >= self._rate:
                return None
            fault = self._random.choice(FAULTS)
            if fault == "conflict" and method != "PATCH":
                fault = "503"
            self.injected[fault] += 1
            return fault

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size) or None
                fault = proxy._fault(self.command)
                if fault == "drop before":
                    self.close_connection = True
                elif fault is None or fault == "drop after":
                    self._forward(body, answer=fault is None)
                else:
                    code = 409 if fault == "conflict" else int(fault)
                    self._answer(code, status(code))

            def _forward(self, body: bytes | None, *, answer: bool) -> None:
                names = ("Accept", "Content-Type")
                headers = {n: self.headers[n] for n in names if n in self.headers}
                try:
                    got = proxy._transport.send(
                        self.command, self.path, body, headers, proxy._credential
                    )
                except Unreachable:
                    self.close_connection = True
                    return
                if answer:
                    self._answer(got.status, got.body)
                else:
                    self.close_connection = True

            def _answer(self, code: int, content: bytes) -> None:
                self.send_response(code)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server's

            def log_message(self, format: str, *args: Any) -> None:  # noqa: ARG002 - http.server's
                return

        return Handler


def status(code: int) -> bytes:
    """A Status as an API server sends it with this code."""
    reason = {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}
    body = {"kind": "Status", "reason": reason.get(code, "Conflict"), "message": "injected"}
    return orjson.dumps(body)
