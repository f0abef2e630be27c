"""Why AWS couldn't be asked, or didn't answer."""

from __future__ import annotations

from corral.errors import UserError


class AwsError(UserError):
    """Anything that keeps an answer of AWS from us."""


class NoWayIn(AwsError):
    """There are no credentials, or they don't lead into the stack's account."""


class WrongAccount(NoWayIn):
    """The credentials lead into another account than the stack's."""


class Unreachable(AwsError):
    """No connection to a service of AWS, or no answer in time."""


class Refused(AwsError):
    """AWS answered with an error. `code` is AWS' own (`AccessDenied`, `NoSuchEntity` …)."""

    def __init__(self, *, service: str, operation: str, code: str, message: str) -> None:
        super().__init__(f"{service} {operation}: {message} ({code})")
        self.code = code

    @property
    def denied(self) -> bool:
        """Whether the caller just may not ask that."""
        return self.code in _DENIED


_DENIED = frozenset(
    ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")
)
