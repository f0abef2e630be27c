"""The wire of gVisor's `remote` sink: a handshake, then one datagram for each event.

Derived from google/gvisor at 3c5eee17dc45 (2026-08-21), below pkg/sentry/seccheck:
sinks/remote/wire/wire.go and points/{common,container,sentry,syscall}.proto. Only fields that are
needed have a number here. A sandbox's kernel isn't trusted: every length is bounded, and nothing
that comes over the wire is believed to be of the form that it should have.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

LONGEST = 1 << 20
"""Bytes of one datagram at most. What is longer is refused whole."""
MOST_FIELDS = 20_000
VERSION = 1
"""Of the protocol, as the sink and this side have it."""
HANDSHAKE = b"\x08\x01"
"""Our half: Handshake{version: 1}."""

_HEADER = struct.Struct("=HHI")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10

Value = int | bytes


class MalformedError(Exception):
    """What came isn't what a sink sends. The text names the part."""


class Kind(IntEnum):
    """Types of messages that are read; others are passed over."""

    CONTAINER_START = 1
    CLONE = 2
    EXEC = 3
    TASK_EXIT = 5
    RAW_SYSCALL = 6
    OPEN = 7
    CONNECT = 10
    PTRACE = 38


class Message(NamedTuple):
    """One datagram."""

    kind: int
    dropped: int
    """Events that the sandbox had to drop so far, modulo 2³²."""
    payload: bytes


def message(datagram: bytes) -> Message:
    """Takes a datagram apart. The header may have grown: it says itself where it ends."""
    if len(datagram) < _HEADER.size:
        raise MalformedError("header")
    size, kind, dropped = _HEADER.unpack_from(datagram)
    if not _HEADER.size <= size <= len(datagram):
        raise MalformedError("header size")
    return Message(kind, dropped, datagram[size:])


def handshake_version(datagram: bytes) -> int:
    """The version in the other side's handshake."""
    for number, value in fields(datagram):
        if number == 1 and isinstance(value, int):
            return value
    raise MalformedError("handshake")


def fields(payload: bytes) -> Iterator[tuple[int, Value]]:
    """Fields of one protobuf message: numbers as they come, and their values."""
    at = 0
    for _ in range(MOST_FIELDS):
        if at == len(payload):
            return
        key, at = _varint(payload, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(payload, at)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _varint(payload, at)
        else:
            length = {_FIXED64: 8, _FIXED32: 4}.get(kind, -1)
        if not 0 <= length <= len(payload) - at:
            raise MalformedError("length of a field")
        yield number, payload[at : at + length]
        at += length
    raise MalformedError("number of fields")


def signed(value: int) -> int:
    """A varint of an int32 or int64 as the number that it stands for."""
    return value - (1 << 64) if value >> 63 else value


def _varint(payload: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(_LONGEST_VARINT):
        if at >= len(payload):
            break
        byte = payload[at]
        at += 1
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a varint
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise MalformedError("varint")
