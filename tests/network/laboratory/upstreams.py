"""Hosts on the internet and on private networks: doubles that write down all that reaches them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import mimetypes
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.network.laboratory import names
from tests.network.laboratory.http import Message, read_message, response
from warden.egress.certificates import Pair, authority, host_certificate

PIECE = bytes(64 * 1024)


class Upstreams:
    """All of them. `reached` is what arrived, one word each: `1.2.3.4:80` for a connection,
    `tls NAME` for a handshake, `GET host /path` for a request, `bytes …` for anything else."""

    def __init__(self, folder: Path) -> None:
        self.reached: list[str] = []
        self.requests: list[Message] = []
        self.pages: dict[tuple[str, str], tuple[str, bytes]] = {}
        """Media type and body, by host and path."""
        self._folder = folder
        now = datetime.now(UTC)
        self._trusted, self._foreign = authority("internet", now), authority("nobody", now)
        self._contexts: dict[str, ssl.SSLContext] = {}
        (folder / "roots.pem").write_text(self._trusted.certificate)

    @property
    def roots(self) -> str:
        """File of the authority that hosts on the internet are certified by."""
        return str(self._folder / "roots.pem")

    async def start(self) -> None:
        """Listens on every address."""
        for address in (*names.UPSTREAM_ADDRESSES, *names.UPSTREAM_V6):
            for port in (*names.TLS_PORTS, *names.OPEN_PORTS):
                if (address, port) == ("127.0.0.1", names.CONTROL_PORT):
                    continue
                tls = self._context("localhost") if port in names.TLS_PORTS else None
                await asyncio.start_server(self._client, address, port, ssl=tls, backlog=500)

    def _context(self, host: str) -> ssl.SSLContext:
        if host not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            file = self._folder / f"{len(self._contexts)}.pem"
            pair = self._certificate(host)
            file.write_text(pair.key + pair.certificate)
            context.load_cert_chain(file)
            context.sni_callback = self._named
            self._contexts[host] = context
        return self._contexts[host]

    def _certificate(self, host: str) -> Pair:
        issuer = self._foreign if host == "selfmade.example.org" else self._trusted
        name = "evil.example.org" if host == "forged.example.org" else host
        return host_certificate(name, issuer, datetime.now(UTC))

    def _named(self, tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        self.reached.append(f"tls {name}")
        tls.context = self._context(name or "localhost")

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reached.append("{}:{}".format(*writer.get_extra_info("sockname")[:2]))
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                request = await read_message(reader)
                method, target, _ = request.first.split(" ", 2)
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    self.reached.append(f"bytes {error.partial[:100]!r}")
                raise
            except ValueError:
                self.reached.append("bytes that are no request")
                return
            self.reached.append(f"{method} {request.header('host')} {target}")
            self.requests.append(request)
            if not await self._answer(method, target, request, writer):
                await _echo(reader, writer)
                return
            await writer.drain()
            if request.header("connection").lower() == "close":
                return

    async def _answer(
        self, method: str, target: str, request: Message, writer: asyncio.StreamWriter
    ) -> bool:
        """False where the connection is no HTTP from here on."""
        host = request.header("host").partition(":")[0]
        file = self._folder / "files" / host / target.partition("?")[0].lstrip("/")
        if request.header("upgrade") and target != "/no-upgrade":
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n")
            writer.write(f"upgrade: {request.header('upgrade')}\r\n\r\n".encode())
            return False
        if target == "/no-upgrade":
            writer.write(response("426 Upgrade Required"))
        elif target == "/busy":
            writer.write(response("503 Service Unavailable"))
        elif target.startswith("/long/"):
            await _long(int(target.rpartition("/")[2]), writer)
        elif (host, target) in self.pages:
            kind, body = self.pages[host, target]
            writer.write(response("200 OK", body, f"content-type: {kind}"))
        elif file.is_file() or (file / "index.html").is_file():
            writer.write(_file(file if file.is_file() else file / "index.html"))
        elif host in ("git.example.org", "pypi.example.org"):
            writer.write(response("404 Not Found"))
        else:
            writer.write(response("200 OK", b"" if method == "HEAD" else _seen(request)))
        return True


def _seen(request: Message) -> bytes:
    seen: dict[str, Any] = {"first": request.first, "headers": request.headers}
    return json.dumps(seen | {"body": len(request.body)}).encode()


def _file(path: Path) -> bytes:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return response("200 OK", path.read_bytes(), f"content-type: {kind}")


async def _long(pieces: int, writer: asyncio.StreamWriter) -> None:
    writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {pieces * len(PIECE)}\r\n\r\n".encode())
    for _ in range(pieces):
        writer.write(PIECE)
        await writer.drain()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
