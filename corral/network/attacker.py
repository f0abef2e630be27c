"""Runs in a pod, with nothing but Python's own library: tries what it is given, and writes down
what came of each, one line of JSON on standard output. What that means is judged elsewhere.

Its one argument is JSON: {"tries": [{"id", "kind", "host", "port", ...}], "seconds": 4,
"at_once": 8, "per_second": 20}. `{node}` in a host is the node that it runs on.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Try = dict[str, Any]
Seen = dict[str, Any]

BYTES = 65536
ICMP_ECHO = b"\x08\x00\xf7\xff\x00\x00\x00\x00"


def run(order: dict[str, Any], say: Callable[[Seen], None]) -> None:
    """Tries all of it, some at once, not too many a second; `say` gets what came of each."""
    told = threading.Lock()

    def one(each: Try) -> None:
        seen = attempt(each, order["seconds"])
        with told:
            say({"id": each["id"], **seen})

    with ThreadPoolExecutor(max_workers=order["at_once"]) as pool:
        for each in order["tries"]:
            pool.submit(one, each)
            time.sleep(1 / order["per_second"])


def attempt(each: Try, seconds: float) -> Seen:
    """One of them. `end`: connected, answered, answered-tls (an alert, or no TLS where TLS was
    spoken), not-opened (a tunnel), silent, reset, closed, unreachable or not-run."""
    host = each["host"].replace("{node}", os.environ.get("NODE_ADDRESS", ""))
    if not host:
        return {"end": "not-run", "words": "the node's address isn't known"}
    try:
        return _KINDS[each["kind"]](each, host, seconds)
    except tuple(_ENDS) as error:
        end = next(end for kind, end in _ENDS.items() if isinstance(error, kind))
        return {"end": end, "words": str(error)}


def _connect(each: Try, host: str, seconds: float) -> Seen:
    with socket.create_connection((host, each["port"]), timeout=seconds):
        return {"end": "connected"}


def _datagram(each: Try, host: str, seconds: float) -> Seen:
    with _udp(host, seconds) as line:
        line.connect((host, each["port"]))
        line.send(each["send"].encode("latin-1"))
        return {"end": "answered", "bytes": len(line.recv(BYTES))}


def _ping(_: Try, host: str, seconds: float) -> Seen:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as line:
        line.settimeout(seconds)
        line.sendto(ICMP_ECHO, (host, 0))
        return {"end": "answered", "bytes": len(line.recv(BYTES))}


def _query(each: Try, host: str, seconds: float) -> Seen:
    question = _question(
        each["name"], each["record"], each.get("of_class", 1), each.get("opcode", 0)
    )
    if each.get("tcp"):
        with socket.create_connection((host, each["port"]), timeout=seconds) as line:
            line.sendall(struct.pack("!H", len(question)) + question)
            answer = _exactly(line, struct.unpack("!H", _exactly(line, 2))[0])
    else:
        with _udp(host, seconds) as line:
            line.connect((host, each["port"]))
            line.send(question)
            answer = line.recv(BYTES)
    return _read_answer(answer)


def _talk(each: Try, host: str, seconds: float) -> Seen:
    """Words, or TLS with some server name and words in it; `tunnel` are words that come first, and
    are to be answered with 200."""
    with socket.create_connection((host, each["port"]), timeout=seconds) as line:
        if each.get("tunnel"):
            line.sendall(each["tunnel"].encode("latin-1"))
            opened = _response(line)
            if opened.get("status") != 200:  # noqa: PLR2004 - HTTP
                return {**opened, "end": "not-opened"}
        server_name = each.get("server_name")
        if server_name is None:
            return _said(line, each["send"])
        with _context().wrap_socket(line, server_hostname=server_name or None) as inside:
            if not each.get("send"):
                return {"end": "connected", "words": f"TLS {inside.version()}"}
            return _said(inside, each["send"])


def _said(line: socket.socket, words: str) -> Seen:
    line.sendall(words.encode("latin-1"))
    return _response(line)


def _context() -> ssl.SSLContext:
    """Takes any certificate: that somebody answers is what is looked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _response(line: socket.socket) -> Seen:
    """The status of a response, and how what came begins."""
    data = b""
    while b"\r\n\r\n" not in data and len(data) < BYTES:
        piece = line.recv(BYTES)
        if not piece:
            break
        data += piece
    if not data:
        return {"end": "closed"}
    words = data[:12].split(b" ")
    status = int(words[1]) if data.startswith(b"HTTP/1") and words[1].isdigit() else 0
    head, _, body = data.partition(b"\r\n\r\n")
    first = head.partition(b"\r\n")[0][:80].decode("latin-1")
    told = body[:120].decode("latin-1").strip()
    return {"end": "answered", "status": status, "words": f"{first} {told}".strip()}


def _udp(host: str, seconds: float) -> socket.socket:
    line = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    line.settimeout(seconds)
    return line


def _question(name: str, record: int, of_class: int, opcode: int) -> bytes:
    labels = [label.encode("latin-1") for label in name.rstrip(".").split(".") if label]
    written = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    head = struct.pack("!HHHHHH", 0x6F72, 0x0100 | opcode << 11, 1, 0, 0, 0)
    return head + written + struct.pack("!HH", record, of_class)


def _read_answer(answer: bytes) -> Seen:
    """Its code, how many records, and the address in the first where that is one."""
    flags, questions, records = struct.unpack_from("!HHH", answer, 2)
    found: Seen = {"end": "answered", "rcode": flags & 15, "records": records}
    at = 12
    for _ in range(questions):
        at = _after_name(answer, at) + 4
    if records:
        at = _after_name(answer, at)
        kind, _, _, size = struct.unpack_from("!HHIH", answer, at)
        if (kind, size) == (1, 4):
            found["address"] = socket.inet_ntoa(answer[at + 10 : at + 14])
    return found


def _after_name(answer: bytes, at: int) -> int:
    while answer[at]:
        if answer[at] & 0xC0:  # it goes on elsewhere
            return at + 2
        at += 1 + answer[at]
    return at + 1


def _exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = line.recv(size - len(data))
        if not piece:
            raise ConnectionResetError("the connection ended")
        data += piece
    return data


_ENDS: dict[type[Exception], str] = {
    TimeoutError: "silent",
    ConnectionResetError: "reset",
    ConnectionRefusedError: "reset",
    BrokenPipeError: "reset",
    ssl.SSLEOFError: "closed",
    ssl.SSLZeroReturnError: "closed",
    ssl.SSLError: "answered-tls",
    OSError: "unreachable",
    IndexError: "answered",  # and can't be read
    struct.error: "answered",
}
"""The first that fits."""

_KINDS = {
    "connect": _connect,
    "datagram": _datagram,
    "ping": _ping,
    "query": _query,
    "talk": _talk,
}


def _print(seen: Seen) -> None:
    sys.stdout.write(json.dumps(seen) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run(json.loads(sys.argv[1]), _print)
    _print({"id": "", "end": "done"})
