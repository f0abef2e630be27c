"""Somebody who takes logs by OTLP over TLS, and keeps what it was sent."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.observability.logs.authority import certified


@dataclass(frozen=True, kw_only=True)
class Record:
    """One line, as it came."""

    body: str
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request's headers, and what it weighed unpacked."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    raw: bytes


@dataclass(kw_only=True)
class Sink:
    """What came so far."""

    url: str
    ca_file: Path
    requests: list[Request] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)
    open: threading.Event = field(default_factory=threading.Event)
    """Until it is set, requests wait."""
    answer: int = 200
    """What is answered. What was refused is not kept."""

    def wait(self, wanted: Any, *, seconds: float = 60) -> list[Record]:
        """All records, once `wanted(records)` holds."""
        with self.came:
            assert self.came.wait_for(lambda: wanted(self.records), seconds), self.records[-20:]
            return list(self.records)


@contextmanager
def sink(folder: Path) -> Iterator[Sink]:
    """One that listens."""
    certificate, key, authority = certified(folder)
    found = Sink(url="", ca_file=authority)
    found.open.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            found.open.wait()
            if found.answer != 200:
                self._answer(found.answer)
                return
            packed = self.headers.get("Content-Encoding") == "gzip"
            body = gzip.decompress(raw) if packed else raw
            with found.came:
                found.requests.append(
                    Request(path=self.path, headers=dict(self.headers), body=body, raw=raw)
                )
                found.records.extend(records(body))
                found.came.notify_all()
            self._answer(200)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found.url = f"https://localhost:{server.server_port}/v1/logs"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.open.set()
        server.shutdown()
        server.server_close()
        thread.join()


def records(body: bytes) -> Iterator[Record]:
    """Of an ExportLogsServiceRequest: opentelemetry/proto/logs/v1/logs.proto."""
    for resource_logs in _all(body, 1):
        resource = {}
        for each in _all(resource_logs, 1):
            resource = _attributes(each, 1)
        for scope_logs in _all(resource_logs, 2):
            for record in _all(scope_logs, 2):
                bodies = [_value(each) for each in _all(record, 5)]
                yield Record(
                    body=bodies[0] if bodies else "",
                    attributes=_attributes(record, 6),
                    resource=resource,
                )


def _attributes(message: bytes, number: int) -> dict[str, Any]:
    return {_one(pair, 1).decode(): _value(_one(pair, 2)) for pair in _all(message, number)}


def _value(message: bytes) -> Any:
    for number, value in _fields(message):
        if number == 1:
            assert isinstance(value, bytes)
            return value.decode()  # what is no UTF-8 is no OTLP
        return value
    return ""


def _one(message: bytes, number: int) -> bytes:
    return next(_all(message, number), b"")


def _all(message: bytes, number: int) -> Iterator[bytes]:
    for found, value in _fields(message):
        if found == number:
            assert isinstance(value, bytes)
            yield value


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
        else:
            size, at = _varint(message, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            yield tag >> 3, message[at : at + size]
            at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
