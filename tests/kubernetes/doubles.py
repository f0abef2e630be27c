"""Doubles: an API server that answers from a script, and a clock that runs on command."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
import yaml

from corral.kubernetes import Access, Retries

Change = Callable[[dict[str, Any]], None]
"""Breaks one thing in a document."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scripted:
    """One answer. `drop` closes the connection after reading the request, without a word."""

    status: int = 200
    body: object = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def status(code: int, reason: str, message: str = "", **details: Any) -> Scripted:
    return Scripted(
        status=code,
        body={"kind": "Status", "reason": reason, "message": message, "details": details},
    )


class ScriptedServer:
    """A double of an API server on plain HTTP: gives the scripted answers in their order, the last
    one again and again, and keeps what it heard."""

    def __init__(self, answers: Sequence[Scripted]) -> None:
        self.heard: list[Heard] = []
        self._answers = list(answers)
        self._lock = threading.Lock()
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

    def answer(self, heard: Heard) -> Scripted:
        with self._lock:
            self.heard.append(heard)
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_request(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                heard = Heard(
                    method=self.command,
                    target=self.path,
                    headers=dict(self.headers),
                    body=self.rfile.read(size),
                )
                scripted = server.answer(heard)
                if scripted.drop:
                    self.close_connection = True
                    return
                body = scripted.body
                content = body if isinstance(body, bytes) else orjson.dumps(body)
                self.send_response(scripted.status)
                for name, value in scripted.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_request  # noqa: N815 - http.server's

            def log_message(self, format: str, *args: Any) -> None:  # noqa: ARG002 - http.server's
                return

        return Handler


class Clock:
    """Time that passes only while somebody pauses."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self._lock = threading.Lock()

    def pause(self, seconds: float) -> None:
        with self._lock:
            self.pauses.append(seconds)
            self.now += seconds

    def retries(self, **bounds: Any) -> Retries:
        return Retries(clock=lambda: self.now, pause=self.pause, **bounds)


def access_to(
    server: str, folder: Path, user: Mapping[str, Any] | None = None, **cluster: Any
) -> Access:
    """A kubeconfig with one context, `there`; its current-context leads nowhere."""
    file = folder / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "elsewhere",
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": dict(user or {})}],
        "contexts": [{"name": "there", "context": {"cluster": "c", "user": "u"}}],
    }
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return Access(kubeconfig=file, context="there")
