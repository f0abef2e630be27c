"""The upstream DNS: a double that answers from a table, which may change at any moment."""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from typing import cast

A, AAAA, NXDOMAIN = 1, 28, 3
ANSWER = 0x8180


class Names(asyncio.DatagramProtocol):
    """Answers over UDP. `asked` are the names that it was asked for, in order."""

    def __init__(self, answers: dict[str, list[str]]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(self._answer(data), addr)

    def _answer(self, data: bytes) -> bytes:
        name, end = _name(data)
        (kind,) = struct.unpack_from("!H", data, end)
        self.asked.append(name)
        found = self.answers.get(name.lower())
        records = [
            _record(kind, address)
            for address in found or ()
            if (":" in address) == (kind == AAAA) and kind in (A, AAAA)
        ]
        flags = ANSWER if found is not None else ANSWER | NXDOMAIN
        head = data[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
        return head + data[12 : end + 4] + b"".join(records)


def _name(data: bytes) -> tuple[str, int]:
    """The name that is asked for, and where its type begins."""
    labels, at = [], 12
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode("latin-1"))
        at += 1 + length
    return ".".join(labels), at + 1


def _record(kind: int, address: str) -> bytes:
    """Points back to the name of the question; lives as short as can be."""
    packed = ipaddress.ip_address(address).packed
    return struct.pack("!HHHIH", 0xC00C, kind, 1, 1, len(packed)) + packed
