"""What a sandbox does on the wire, step by step, and what it sees."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from tests.network.laboratory.http import Message, read_message

SECONDS = 8
"""To wait for what should come or end at once."""

Step = list[Any]
Seen = dict[str, Any]


class Line:
    """One connection of a sandbox."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        address, port = writer.get_extra_info("sockname")[:2]
        self.source = f"{address}:{port}"
        self.said: list[str] = []

    @classmethod
    async def open(cls, host: str, port: int, source: str | None = None) -> Line:
        """OSError where nobody listens."""
        local = (source, 0) if source else None
        return cls(*await asyncio.open_connection(host, port, local_addr=local, limit=2**20))

    async def take(self, steps: list[Step], seconds: float = SECONDS) -> str:
        """Takes the steps; how it ended: `open`, `closed`, `reset`, `silent` or `tls: why`."""
        for kind, *values in steps:
            try:
                async with asyncio.timeout(seconds):
                    await getattr(self, f"_{kind}")(*values)
            except TimeoutError:
                return "silent"
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    self.said.append(error.partial.decode("latin-1"))
                return "closed"
            except ssl.SSLError as error:
                return f"tls: {error.reason}"
            except (ConnectionError, BrokenPipeError):
                return "reset"
        return "open"

    def close(self) -> None:
        """At once."""
        self._writer.transport.abort()

    async def _send(self, data: str) -> None:
        self._writer.write(data.encode("latin-1"))
        await self._writer.drain()

    async def _tls(self, server_name: str | None, authority: str | None = None) -> None:
        """From here on TLS; judged by the authority where one is named."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = authority is not None
        context.verify_mode = ssl.CERT_REQUIRED if authority else ssl.CERT_NONE
        if authority:
            context.load_verify_locations(authority)
        context.set_alpn_protocols(["h2", "http/1.1"])
        await self._writer.start_tls(context, server_hostname=server_name or "")
        found = self._writer.get_extra_info("ssl_object").selected_alpn_protocol()
        self.said.append(f"tls {found}")

    async def _answer(self, bodiless: bool = False) -> None:
        """One response."""
        self.said.append(_told(await read_message(self._reader, bodiless=bodiless)))

    async def _some(self) -> None:
        """Whatever comes first."""
        data = await self._reader.read(65536)
        if not data:
            raise asyncio.IncompleteReadError(b"", None)
        self.said.append(data.decode("latin-1"))

    async def _end(self) -> None:
        """All that still comes, until the other side ends the connection."""
        self.said.append("")
        while data := await self._reader.read(65536):
            self.said[-1] += data.decode("latin-1")
        raise asyncio.IncompleteReadError(b"", None)


def _told(message: Message) -> str:
    head = "\r\n".join([message.first, *(f"{name}: {value}" for name, value in message.headers)])
    return f"{head}\r\n\r\n{message.body.decode('latin-1')}"
