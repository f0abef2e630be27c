"""First messages of TLS as no library sends them."""

from __future__ import annotations

import os
import struct

_CIPHERS = bytes.fromhex("c02bc02fc02cc030")
_FURTHER = bytes.fromhex(
    "000a00040002001d"  # groups
    "000b00020100"  # point formats
    "000d000a0008040304010804" "0503"  # signatures
)  # fmt: skip


def client_hello(*names: bytes) -> bytes:
    """A ClientHello of TLS 1.2 with these server names, as they are; none without any."""
    entries = b"".join(b"\x00" + _sized(name) for name in names)
    server_name = struct.pack("!H", 0) + _sized(_sized(entries)) if names else b""
    body = b"\x03\x03" + os.urandom(32) + b"\x00" + _sized(_CIPHERS) + b"\x01\x00"
    body += _sized(server_name + _FURTHER)
    return record(b"\x01" + struct.pack("!I", len(body))[1:] + body)


def record(message: bytes) -> bytes:
    """As one record."""
    return b"\x16\x03\x01" + _sized(message)


def in_pieces(hello: bytes, size: int) -> bytes:
    """The same message in records of that many bytes."""
    message = hello[5:]
    return b"".join(record(message[at : at + size]) for at in range(0, len(message), size))


def _sized(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data
