"""When a request is sent again, how soon, and for how long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from corral.kubernetes.errors import ApiError, Unreachable

_TOO_MANY = 429
_CONFLICT = 409
_INTERNAL = 500
_PASSING = frozenset({500, 502, 503, 504})
_REFUSED = frozenset({403, 422})
# Admission refuses with these texts, instead of 503, while it starts: all of it, or a policy whose
# parameters are of a kind that is just being installed.
_STARTING = ("not yet ready to handle request", "failed to find resource referenced by paramKind")


@dataclass(frozen=True, kw_only=True, slots=True)
class Retries:
    """Bounds, in seconds. The clock and the pause are replaceable for tests."""

    bound: float = 60.0
    """For one request, from its first failure: an API server restarts within it."""
    internal_error_bound: float = 20.0
    """For answers of 500, which more often stay than pass (a webhook that fails)."""
    conflicts: int = 10
    """How often a write that met another's write is sent again."""
    first_pause: float = 0.1
    longest_pause: float = 5.0
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


class Patience:
    """The retries of one request."""

    def __init__(self, retries: Retries, *, repeatable: bool, repeat_conflicts: bool) -> None:
        self._retries = retries
        self._repeatable = repeatable
        self._repeat_conflicts = repeat_conflicts
        self._since: float | None = None
        self._failures = 0
        self._conflicts = 0

    def pause_after(self, error: ApiError | Unreachable) -> float | None:
        """Seconds to wait before sending again; None when the error is final."""
        now = self._retries.clock()
        if self._since is None:
            self._since = now
        bound = self._bound(error)
        if bound is None:
            return None
        pause = self._pause(error)
        return pause if now + pause - self._since <= bound else None

    def _bound(self, error: ApiError | Unreachable) -> float | None:
        """For how long an error like this is met by sending again; None for not at all."""
        if isinstance(error, Unreachable):
            return self._retries.bound if self._repeatable or not error.sent else None
        if error.status == _CONFLICT:
            return self._retries.bound if self._again_after_conflict(error) else None
        if error.status == _TOO_MANY or _starting(error):
            return self._retries.bound
        if error.status not in _PASSING or error.typing_failed or not self._repeatable:
            return None
        internal = error.status == _INTERNAL
        return self._retries.internal_error_bound if internal else self._retries.bound

    def _again_after_conflict(self, error: ApiError) -> bool:
        if not self._repeat_conflicts or error.reason != "Conflict":
            return False
        if any(cause.reason == "FieldManagerConflict" for cause in error.causes):
            return False
        self._conflicts += 1
        return self._conflicts <= self._retries.conflicts

    def _pause(self, error: ApiError | Unreachable) -> float:
        """Doubles with each failure, with jitter so that many workers don't come back at once."""
        self._failures += 1
        grown = self._retries.first_pause * 2.0 ** min(self._failures - 1, 10)
        chance = 0.5 + random.random() / 2  # noqa: S311 - spreads load, guards nothing
        pause = min(grown, self._retries.longest_pause) * chance
        asked = error.retry_after if isinstance(error, ApiError) else None
        return max(pause, asked or 0.0)


def _starting(error: ApiError) -> bool:
    """Whether admission says that it isn't there yet, and not that it refuses."""
    return error.status in _REFUSED and any(text in error.message for text in _STARTING)
