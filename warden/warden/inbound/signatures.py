"""Whether a request is signed by the sender that the secret was agreed on with, and when.

- `hmac-sha256`: HMAC of the body, in hex, alone or after `sha256=`
  (https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries)
- `slack`: https://docs.slack.dev/authentication/verifying-requests-from-slack
- `stripe`: https://docs.stripe.com/webhooks#verify-manually
- `standard-webhooks`: https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

WINDOW_SECONDS = 300
"""How far a signed time may be from ours."""

LEAST_SECRET = 16
"""Bytes. Whoever leaves a secret empty would let everybody sign."""


class Headers(Protocol):
    """A request's headers, by names whose case doesn't matter."""

    def getall(self, key: str, default: list[str]) -> list[str]:
        """All values of that one."""


class NotSignedError(Exception):
    """The request isn't signed as it must be; says why, without anything that was sent."""


def verified(
    scheme: str, *, header: str, secret: bytes, headers: Headers, body: bytes, now: float
) -> bytes:
    """The signature's own bytes, of a request that is signed with that secret and, where the scheme
    signs a time, now. Raises NotSignedError."""
    if len(secret) < LEAST_SECRET:
        raise NotSignedError("there is no secret to check it with")
    return SCHEMES[scheme](header, secret, headers, body, now)


def secret_of(scheme: str, text: str) -> bytes:
    """The key that a sender's secret stands for."""
    if scheme == "standard-webhooks":
        try:
            return base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return b""
    return text.encode()


def _plain(header: str, secret: bytes, headers: Headers, body: bytes, _now: float) -> bytes:
    found = re.fullmatch(r"(?:sha256=)?([0-9a-fA-F]{64})", _one(headers, header))
    if found is None:
        raise NotSignedError(f"{header} must be the HMAC in 64 hexadecimal digits")
    return _same(secret, body, [bytes.fromhex(found[1])])


def _slack(_header: str, secret: bytes, headers: Headers, body: bytes, now: float) -> bytes:
    stamp = _recent(_one(headers, "X-Slack-Request-Timestamp"), now)
    found = re.fullmatch(r"v0=([0-9a-f]{64})", _one(headers, "X-Slack-Signature"))
    if found is None:
        raise NotSignedError("X-Slack-Signature must be v0= and 64 hexadecimal digits")
    return _same(secret, b"v0:%s:%s" % (stamp, body), [bytes.fromhex(found[1])])


def _stripe(_header: str, secret: bytes, headers: Headers, body: bytes, now: float) -> bytes:
    parts = [part.partition("=") for part in _one(headers, "Stripe-Signature").split(",")]
    stamps = [value for key, _, value in parts if key == "t"]
    signatures = [
        bytes.fromhex(value)
        for key, _, value in parts
        if key == "v1" and re.fullmatch(r"[0-9a-f]{64}", value)
    ]
    if len(stamps) != 1 or not signatures:
        raise NotSignedError("Stripe-Signature must have one t= and a v1=")
    return _same(secret, b"%s.%s" % (_recent(stamps[0], now), body), signatures)


def _standard(_header: str, secret: bytes, headers: Headers, body: bytes, now: float) -> bytes:
    name = _one(headers, "webhook-id")
    stamp = _recent(_one(headers, "webhook-timestamp"), now)
    if not re.fullmatch(r"[!-~]{1,256}", name) or "." in name:
        raise NotSignedError("webhook-id must be a name without dots and spaces")
    signatures = [
        base64.b64decode(found[1])
        for each in _one(headers, "webhook-signature").split(" ")
        if (found := re.fullmatch(r"v1,([A-Za-z0-9+/]{43}=)", each))
    ]
    if not signatures:
        raise NotSignedError("webhook-signature must have a v1 one")
    return _same(secret, b"%s.%s.%s" % (name.encode(), stamp, body), signatures)


SCHEMES: Mapping[str, Callable[[str, bytes, Headers, bytes, float], bytes]] = {
    "hmac-sha256": _plain,
    "slack": _slack,
    "stripe": _stripe,
    "standard-webhooks": _standard,
}


def _one(headers: Headers, name: str) -> str:
    """The header's only value. A second one would be read by somebody else."""
    values = headers.getall(name, [])
    if len(values) != 1:
        raise NotSignedError(f"{name} must be there once")
    return values[0]


def _recent(stamp: str, now: float) -> bytes:
    if not re.fullmatch(r"[0-9]{1,12}", stamp):
        raise NotSignedError("its time must be in seconds")
    if abs(now - int(stamp)) > WINDOW_SECONDS:
        raise NotSignedError(f"it was signed more than {WINDOW_SECONDS} s from now")
    return stamp.encode()


def _same(secret: bytes, signed: bytes, signatures: Iterable[bytes]) -> bytes:
    due = hmac.digest(secret, signed, "sha256")
    if not any(hmac.compare_digest(due, each) for each in signatures):
        raise NotSignedError("its signature is another one")
    return due
