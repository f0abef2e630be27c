"""Requests of senders, byte by byte."""

from __future__ import annotations

import hashlib
import hmac
import time

from tests.network.inbound.conftest import ACME
from tests.network.inbound.laboratory import HOST

GITHUB = f"/{ACME}/github"


def secret_of(tenant: str) -> bytes:
    """What the tenant's senders sign with."""
    return tenant.encode() * 3


def signature(body: bytes, secret: bytes) -> str:
    """As GitHub writes it."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def post(
    path: str = GITHUB,
    body: bytes = b"{}",
    *,
    method: str = "POST",
    host: str = HOST,
    length: bool = True,
    headers: tuple[str, ...] = (),
) -> bytes:
    """A request; `headers` as whole lines."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def signed(
    path: str = GITHUB,
    body: bytes = b"{}",
    *,
    secret: bytes | None = None,
    header: str = "X-Hub-Signature-256",
    also: tuple[str, ...] = (),
    method: str = "POST",
    host: str = HOST,
) -> bytes:
    """A request that is signed, with the tenant's own secret unless another is given."""
    own = f"{header}: {signature(body, secret or secret_of(ACME))}"
    return post(path, body, method=method, host=host, headers=(own, *also))


def slack(
    body: bytes, *, ago: int = 0, says: int | None = None, secret: bytes | None = None
) -> bytes:
    """A request as Slack's, signed so many seconds ago; `says` is the time that it names."""
    stamp = int(time.time()) - ago
    text = f"v0:{stamp}:".encode() + body
    made = hmac.new(secret or secret_of(ACME), text, hashlib.sha256).hexdigest()
    return post(
        f"/{ACME}/slack/events",
        body,
        headers=(
            f"X-Slack-Signature: v0={made}",
            f"X-Slack-Request-Timestamp: {stamp if says is None else says}",
        ),
    )


def chunked(body: bytes, *, headers: tuple[str, ...] = ()) -> bytes:
    """A signed request whose body comes in one chunk."""
    own = f"X-Hub-Signature-256: {signature(body, secret_of(ACME))}"
    head = post(body=b"", length=False, headers=("Transfer-Encoding: chunked", own, *headers))
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
