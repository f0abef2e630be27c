"""What can go wrong between us and an API server, in words for the person at the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from corral.errors import BadInput, UserError

_LONGEST_TEXT = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """One entry of a Status' `details.causes`."""

    reason: str
    field: str
    message: str


class KubeconfigError(BadInput):
    """A kubeconfig that can't be used: which file, which key, what rule, how to fix it."""

    def __init__(self, file: object, key: str, problem: str, fix: str) -> None:
        super().__init__(f"{file}: {key}: {problem}. {fix}")
        self.file = str(file)
        self.key = key


class CredentialError(UserError):
    """Credentials could not be had (a plugin that fails, a token file that is gone)."""


class Unreachable(UserError):
    """No answer from the API server within the bound."""

    def __init__(self, server: str, reason: str, *, sent: bool) -> None:
        super().__init__(f"The API server at {server} does not answer: {reason}")
        self.server = server
        self.sent = sent
        """True when the request may have been carried out although no answer came."""


class ApiError(UserError):
    """The API server answered with an error Status."""

    def __init__(
        self, status: int, reason: str, message: str, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message or reason or f"HTTP {status}")
        self.status = status
        """HTTP status code."""
        self.reason = reason
        """The Status' reason, such as NotFound; "" where the server gave none."""
        self.message = message
        self.details: Mapping[str, Any] = details or {}

    @property
    def causes(self) -> tuple[Cause, ...]:
        found = self.details.get("causes")
        return tuple(
            Cause(
                reason=str(entry.get("reason", "")),
                field=str(entry.get("field", "")),
                message=str(entry.get("message", "")),
            )
            for entry in (found if isinstance(found, list) else [])
            if isinstance(entry, dict)
        )

    @property
    def retry_after(self) -> float | None:
        """Seconds that the Status asks to wait."""
        seconds = self.details.get("retryAfterSeconds")
        return float(seconds) if isinstance(seconds, int) and seconds > 0 else None

    @property
    def typing_failed(self) -> bool:
        """True for a document that doesn't fit its schema: server-side apply reports that as a
        500 without a reason, and trying again can't help."""
        return self.status == 500 and self.message.startswith(  # noqa: PLR2004 - an HTTP status
            ("failed to create typed patch object", "failed to convert new object")
        )


def error_of(status: int, body: bytes) -> ApiError:
    """The error that an answer's body describes; a body that is no Status is quoted, shortened."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or document.get("kind") != "Status":
        text = body[:_LONGEST_TEXT].decode("utf-8", "replace").strip()
        return ApiError(status, "", text or f"HTTP {status}")
    details = document.get("details")
    found: dict[str, Any] = dict(details) if isinstance(details, dict) else {}
    following = (document.get("metadata") or {}).get("continue")
    if following:
        found["continue"] = following  # how a listing that expired can go on
    return ApiError(
        status, str(document.get("reason", "")), str(document.get("message", "")), found
    )
