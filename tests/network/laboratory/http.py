"""Just enough HTTP/1.1 to speak and read it byte by byte."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Message:
    """A request or a response."""

    first: str
    """Its first line."""
    headers: tuple[tuple[str, str], ...]
    """Names in lower case, as they came."""
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first of that name; empty without one."""
        return next((value for each, value in self.headers if each == name), "")


async def read_head(reader: asyncio.StreamReader) -> Message:
    """Up to the empty line. asyncio.IncompleteReadError where the connection ends before."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines[1:] if line)
    return Message(
        first=lines[0],
        headers=tuple((name.strip().lower(), value.strip()) for name, _, value in pairs),
    )


async def read_message(reader: asyncio.StreamReader, *, bodiless: bool = False) -> Message:
    """With its body, by length or in chunks; `bodiless` for what has none."""
    head = await read_head(reader)
    if bodiless:
        return head
    if "chunked" in head.header("transfer-encoding"):
        body = await _chunks(reader)
    else:
        body = await reader.readexactly(int(head.header("content-length") or 0))
    return Message(first=head.first, headers=head.headers, body=body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\n")).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    while (await reader.readline()).strip():
        pass
    return body


def response(status: str, body: bytes = b"", *headers: str) -> bytes:
    """A response with a body of known length."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
