"""What sandboxes say on the wire, as steps of a probe."""

from __future__ import annotations

from typing import Any

Steps = list[list[Any]]

CLOSE = "connection: close"


def asking(authority: str, *headers: str, host: str | None = None, end: str = "1.1") -> str:
    """A CONNECT; its Host header is the same unless another is named."""
    named = authority if host is None else host
    lines = [f"CONNECT {authority} HTTP/{end}", f"Host: {named}", *headers, "", ""]
    return "\r\n".join(lines)


def connect(authority: str, *headers: str, host: str | None = None, end: str = "1.1") -> Steps:
    """CONNECT, and what is answered."""
    return [["send", asking(authority, *headers, host=host, end=end)], ["answer", True]]


def raw(text: str) -> Steps:
    """These bytes, and all that comes back until the end."""
    return [["send", text], ["end"]]


def request(host: str, target: str = "/", *headers: str, method: str = "GET") -> str:
    """A request without body, the last one of its connection."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *headers, CLOSE, "", ""]
    return "\r\n".join(lines)


def plain(host: str, target: str = "/", *headers: str, method: str = "GET") -> Steps:
    """A plain request, and all that comes back."""
    return raw(request(host, target, *headers, method=method))


def answered(host: str, target: str = "/", *headers: str, method: str = "GET") -> Steps:
    """A plain request, and what is answered."""
    return [["send", request(host, target, *headers, method=method)], ["answer"]]


def tunnelled(authority: str, server_name: str | None) -> Steps:
    """CONNECT, then TLS for a server name, then a request."""
    inner = request(authority.rpartition(":")[0], "/inner")
    return [*connect(authority), ["tls", server_name], ["send", inner], ["end"]]


def direct(server_name: str | None, host: str = "ok.example.org") -> Steps:
    """TLS as it comes, then a request."""
    return [["tls", server_name], ["send", request(host, "/inner")], ["end"]]


def greeted(hello: bytes, authority: str = "") -> Steps:
    """These first bytes of TLS, in a tunnel where an authority is named."""
    before = connect(authority) if authority else []
    return [*before, ["send", hello.decode("latin-1")], ["end"]]


def inspected(host: str, text: str) -> Steps:
    """A tunnel to an inspected host, and this in it."""
    return [*connect(f"{host}:443"), ["tls", host], ["send", text], ["end"]]


def api(target: str = "/v1/x", *headers: str, method: str = "POST", host: str = "") -> Steps:
    """A request to the inspected host that allows POST below /v1/."""
    text = request(host or "api.example.org", target, "content-length: 0", *headers, method=method)
    return inspected("api.example.org", text)


def chat(target: str, *headers: str) -> Steps:
    """A request to the inspected host that allows GET and WebSockets, with more after it."""
    head = "\r\n".join([f"GET {target} HTTP/1.1", "Host: chat.example.org", *headers, "", ""])
    return inspected("chat.example.org", head + request("chat.example.org", "/x", method="DELETE"))


def http2(authority: str) -> str:
    """A GET in HTTP/2, without any HTTP/1 before it."""
    fields = (b"\x82\x84\x86", b"\x01" + bytes([len(authority)]) + authority.encode())
    block = b"".join(fields)
    frames = _frame(4, 0, 0, b"") + _frame(1, 5, 1, block)
    return (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames).decode("latin-1")


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags])
    return head + stream.to_bytes(4, "big") + payload
