"""First bytes that are no hello, and requests with another one inside."""

from __future__ import annotations

from collections.abc import Iterator

from tests.network.gateway.attacks.attack import (
    CODEC,
    EVIL,
    HEADERS,
    INSPECTED,
    INSPECTED_CODEC,
    OK,
    OK_443,
    PLAIN,
    ROUTES,
    SAME_NAME,
    TLS_ONLY,
    UPGRADES,
    Attack,
)
from tests.network.gateway.steps import (
    asking,
    direct,
    greeted,
    http2,
    inspected,
    plain,
    raw,
    request,
)
from tests.network.laboratory.hello import client_hello, in_pieces


def first_bytes() -> Iterator[Attack]:
    odd = {
        "a server name with a line break": OK.encode() + b":443 HTTP/1.1\r\nx: y\r\n\r\n",
        "a server name with a space": b"ok.example.org evil",
        "a server name with a port": OK_443.encode(),
        "a server name with a dot at its end": OK.encode() + b".",
        "a server name that is an address": b"10.9.9.9",
        "a server name of 255 bytes": b"a" * 63 + b"." + b"b" * 63 + b"." + b"c" * 127,
    }
    for kind, name in odd.items():
        yield Attack(
            name=kind,
            wall=CODEC if set(name) & set(b" :") else ROUTES,
            door="tls",
            steps=greeted(client_hello(name)),
        )
    yield Attack(name="TLS without a server name", wall=ROUTES, door="tls", steps=direct(None))
    yield Attack(
        name="two server names, the second somebody else's",
        wall=TLS_ONLY,
        door="tls",
        steps=greeted(client_hello(OK.encode(), EVIL.encode())),
    )
    yield Attack(
        name="a hello in pieces, for somebody else's host",
        wall=ROUTES,
        door="tls",
        steps=greeted(in_pieces(client_hello(EVIL.encode()), 20)),
    )
    yield Attack(
        name="a hello in pieces for somebody else's host, in a tunnel",
        wall=SAME_NAME,
        steps=greeted(in_pieces(client_hello(EVIL.encode()), 20), OK_443),
    )
    yield Attack(
        name="two server names in a tunnel",
        wall=TLS_ONLY,
        steps=greeted(client_hello(OK.encode(), EVIL.encode()), OK_443),
    )
    for kind, data in (
        ("SSH", b"SSH-2.0-OpenSSH_9.9\r\n"),
        ("SMTP", b"EHLO evil\r\n"),
        ("plain HTTP", request(OK).encode()),
        ("DNS", b"\0\x1d\0\1\1\0\0\1\0\0"),
        ("QUIC", b"\xc3\0\0\0\1" + bytes(40)),
        ("a shell", b"id\n" * 20),
    ):
        yield Attack(name=f"{kind} in a tunnel", wall=TLS_ONLY, steps=greeted(data, OK_443))
        yield Attack(
            name=f"{kind} where TLS comes in", wall=TLS_ONLY, door="tls", steps=greeted(data)
        )
    for kind, data in (
        ("TLS", client_hello(OK.encode())),
        ("SOCKS4", b"\4\1\1\xbb\x5d\xb8\xd8\x22\0"),
        ("SOCKS5", b"\5\1\0"),
        ("SSH", b"SSH-2.0-OpenSSH_9.9\r\n"),
        ("a PROXY line", b"PROXY TCP4 10.1.1.1 10.2.2.2 1 443\r\n" + asking(OK_443).encode()),
        ("a PROXY header", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12)),
    ):
        yield Attack(
            name=f"{kind} where HTTP comes in", wall=CODEC, steps=greeted(data + b"\r\n\r\n")
        )


SMUGGLED = request(EVIL, "/smuggled")
BODIES = {
    "length and chunks": ("Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
    "two lengths": ("Content-Length: 4\r\nContent-Length: 0", ""),
    "two lengths in one": ("Content-Length: 4, 0", ""),
    "a negative length": ("Content-Length: -1", ""),
    "a length with a sign": ("Content-Length: +4", ""),
    "a length in hexadecimal": ("Content-Length: 0x4", ""),
    "an unknown encoding": ("Transfer-Encoding: xchunked", "0\r\n\r\n"),
    "two encodings": ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"),
    "an encoding with a tab": ("Transfer-Encoding:\x0bchunked", "0\r\n\r\n"),
    "an encoding after a space": ("Transfer-Encoding : chunked", "0\r\n\r\n"),
    "a chunk's size that isn't one": ("Transfer-Encoding: chunked", "zz\r\n\r\n"),
    "a chunk's size that overflows": ("Transfer-Encoding: chunked", "10000000000000000\r\n"),
    "a zero in a header": ("x: a\0b", ""),
}
"""A header, and what comes before the second request. None of it is a request to Envoy, though the
first part of one may have gone on where its chunks come later."""
READ_ALIKE = {
    "a folded encoding": ("Transfer-Encoding:\r\n chunked", "0\r\n\r\n"),
    "a bare line feed in a header": ("x: a\nTransfer-Encoding: chunked", "0\r\n\r\n"),
    "a bare carriage return in a header": ("x: a\rb: c", ""),
}
"""The same, where Envoy reads two requests, writes both anew and judges each."""


def smuggling() -> Iterator[Attack]:
    for kind, (header, body) in (BODIES | READ_ALIKE).items():
        alike = kind in READ_ALIKE
        text = f"POST /first HTTP/1.1\r\nHost: {PLAIN}\r\n{header}\r\n\r\n{body}"
        yield Attack(
            name=f"a second request behind {kind}",
            wall=ROUTES if alike else CODEC,
            reaches=(f"POST {PLAIN} /first",) if alike or "chunk's" in kind else (),
            steps=raw(text + SMUGGLED),
        )
        inner = text.replace(PLAIN, "api.example.org").replace("/first", "/v1/first")
        yield Attack(
            name=f"a second request behind {kind}, inspected",
            wall=INSPECTED if alike else INSPECTED_CODEC,
            reaches=("POST api.example.org /v1/first",) if alike or "chunk's" in kind else (),
            steps=inspected("api.example.org", inner + SMUGGLED),
        )
    yield Attack(
        name="a second request to somebody else's host",
        wall=ROUTES,
        reaches=(f"GET {PLAIN} /first",),
        steps=raw(f"GET /first HTTP/1.1\r\nHost: {PLAIN}\r\n\r\n" + request(EVIL)),
    )
    yield Attack(
        name="a second request that the path rule refuses, inspected",
        wall=INSPECTED,
        reaches=("POST api.example.org /v1/first",),
        steps=inspected(
            "api.example.org",
            "POST /v1/first HTTP/1.1\r\nHost: api.example."
            "org\r\ncontent-length: 0\r\n\r\n"
            + request("api.example.org", "/admin", "content-length: 0", method="POST"),
        ),
    )
    yield Attack(
        name="CONNECT with a body of chunks",
        wall=CODEC,
        steps=raw(asking(OK_443, "Transfer-Encoding: chunked") + "0\r\n\r\n" + SMUGGLED),
    )
    yield Attack(
        name="CONNECT with a length",
        wall=CODEC,
        steps=raw(asking(OK_443, "Content-Length: 4") + SMUGGLED),
    )
    old = "HTTP/1.0\r\n"
    yield Attack(
        name="CONNECT of HTTP/1.0 to somebody else's host",
        wall=ROUTES,
        steps=raw(f"CONNECT {EVIL}:443 {old}\r\n"),
    )
    yield Attack(
        name="CONNECT of HTTP/1.0 with a listed Host",
        wall=ROUTES,
        steps=raw(f"CONNECT {EVIL}:443 {old}Host: {OK_443}\r\n\r\n"),
    )
    yield Attack(
        name="a request of HTTP/1.0 to somebody else's host",
        wall=ROUTES,
        steps=raw(f"GET / {old}Host: {EVIL}\r\n\r\n"),
    )
    yield Attack(
        name="a request of HTTP/1.0 without a Host", wall=CODEC, steps=raw(f"GET / {old}\r\n")
    )
    yield Attack(
        name="a second request behind chunks of HTTP/1.0",
        wall=ROUTES,
        reaches=(f"POST {PLAIN} /first",),
        steps=raw(
            f"POST /first {old}Host: {PLAIN}\r\nTransfer-Encoding: chunked\r\n"
            f"Connection: keep-alive\r\n\r\n0\r\n\r\n{SMUGGLED}"
        ),
    )
    yield Attack(name="a request of HTTP/0.9", wall=CODEC, steps=raw("GET /\r\n\r\n"))
    yield Attack(name="HTTP/2 without asking", wall=CODEC, steps=raw(http2(PLAIN)))
    yield Attack(
        name="HTTP/2 without asking, inspected",
        wall=INSPECTED_CODEC,
        steps=inspected("chat.example.org", http2("chat.example.org")),
    )
    yield Attack(
        name="an upgrade to HTTP/2",
        wall=HEADERS,
        reaches=(f"GET {PLAIN} /",),
        hidden="h2c",
        steps=plain(
            PLAIN,
            "/",
            "Upgrade: h2c",
            "HTTP2-Settings: AAMAAABkAAQAAP__",
            "Connection: Upgrade, HTTP2-Settings",
        ),
    )
    for kind in ("websocket", "connect-udp", "connect-ip", "tcp", "CONNECT"):
        yield Attack(
            name=f"an upgrade to {kind}",
            wall=UPGRADES,
            steps=raw(
                f"GET / HTTP/1.1\r\nHost: {PLAIN}\r\nUpgrade: {kind}\r\nConnection: upgrade\r\n\r\n"
            ),
        )
    yield Attack(
        name="an upgrade to CONNECT, to a host that is listed for TLS",
        wall=ROUTES,
        steps=raw(
            f"GET / HTTP/1.1\r\nHost: {OK_443}\r\nUpgrade: CONNECT\r\nConnection: upgrade\r\n\r\n"
        ),
    )
    yield Attack(name="headers of 70 KB", wall=CODEC, steps=plain(PLAIN, "/", "x: " + "a" * 70_000))
    yield Attack(
        name="150 headers",
        wall=CODEC,
        steps=plain(PLAIN, "/", *(f"x{each}: a" for each in range(150))),
    )
    yield Attack(name="a path of 70 KB", wall=CODEC, steps=plain(PLAIN, "/" + "a" * 70_000))
