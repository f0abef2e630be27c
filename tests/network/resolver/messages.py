"""DNS messages, written and read byte by byte: no library sends what attackers send."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

A, NS, CNAME, SOA, NULL, PTR, MX, TXT, AAAA, SRV = 1, 2, 5, 6, 10, 12, 15, 16, 28, 33
NAPTR, OPT, DS, RRSIG, SVCB, HTTPS, IXFR, AXFR, ANY, CAA = (
    35,
    41,
    43,
    46,
    64,
    65,
    251,
    252,
    255,
    257,
)
IN, CH, HS, NONE, ANY_CLASS = 1, 3, 4, 254, 255
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
QUERY, IQUERY, STATUS, NOTIFY, UPDATE = 0, 1, 2, 4, 5

RECURSION_DESIRED = 0x0100
RESPONSE = 0x8000


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record of an answer."""

    name: bytes
    type: int
    ttl: int
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    id: int
    rcode: int
    """With the upper bits of EDNS."""
    question: bytes
    """As it stands in the answer."""
    answers: Sequence[Record]
    authority: Sequence[Record]
    additional: Sequence[Record]
    size: int

    @property
    def addresses(self) -> list[str]:
        """Of A records."""
        return [".".join(map(str, each.data)) for each in self.answers if each.type == A]


def name(text: str | Sequence[bytes]) -> bytes:
    """A name on the wire: dotted, or label by label."""
    labels = [each.encode() for each in text.split(".") if each] if isinstance(text, str) else text
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def question(
    host: str | Sequence[bytes],
    type_: int = A,
    *,
    class_: int = IN,
    id_: int = 7,
    opcode: int = QUERY,
    options: bytes | None = None,
    version: int = 0,
    tail: bytes = b"",
) -> bytes:
    """A query; with `options`, an EDNS record that holds them. `tail` follows all of it."""
    extra = b"" if options is None else edns(options, version)
    head = struct.pack(
        "!HHHHHH", id_, RECURSION_DESIRED | opcode << 11, 1, 0, 0, 0 if options is None else 1
    )
    return head + name(host) + struct.pack("!HH", type_, class_) + extra + tail


def edns(options: bytes, version: int = 0) -> bytes:
    """A record of EDNS that offers 4096 bytes."""
    return b"\0" + struct.pack("!HHBBHH", OPT, 4096, 0, version, 0, len(options)) + options


def option(code: int, data: bytes) -> bytes:
    """One option of EDNS."""
    return struct.pack("!HH", code, len(data)) + data


def framed(message: bytes) -> bytes:
    """As TCP has it."""
    return struct.pack("!H", len(message)) + message


def unframed(stream: bytes) -> list[bytes]:
    """The whole messages in what came by TCP."""
    found = []
    while len(stream) >= 2 and len(stream) >= 2 + (size := struct.unpack_from("!H", stream)[0]):
        found.append(stream[2 : 2 + size])
        stream = stream[2 + size :]
    return found


def read(data: bytes) -> Answer:
    """An answer. Raises where it is no message."""
    id_, flags, questions, *counts = struct.unpack_from("!HHHHHH", data)
    assert flags & RESPONSE, "an answer calls itself one"
    at, asked = 12, b""
    for _ in range(questions):
        _, end = _name(data, at)
        asked, at = data[at : end + 4], end + 4
    sections = []
    for count in counts:
        section, at = _records(data, at, count)
        sections.append(section)
    upper = sum(each.ttl >> 24 << 4 for each in sections[2] if each.type == OPT)
    return Answer(
        id=id_,
        rcode=flags & 15 | upper,
        question=asked,
        answers=sections[0],
        authority=sections[1],
        additional=sections[2],
        size=len(data),
    )


def _records(data: bytes, at: int, count: int) -> tuple[list[Record], int]:
    found = []
    for _ in range(count):
        owner, at = _name(data, at)
        type_, _, ttl, length = struct.unpack_from("!HHIH", data, at)
        at += 10
        found.append(Record(name=owner, type=type_, ttl=ttl, data=data[at : at + length]))
        at += length
    return found, at


def _name(data: bytes, at: int) -> tuple[bytes, int]:
    """The name there, and where it ends."""
    labels, end = [], 0
    while length := data[at]:
        if length >= 0xC0:
            end = end or at + 2
            at = struct.unpack_from("!H", data, at)[0] & 0x3FFF
            continue
        labels.append(data[at + 1 : at + 1 + length])
        at += 1 + length
    return b".".join(labels), end or at + 1
