"""How often something may happen, and whether it happened before. Clocks are the caller's."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

MINUTE = 60.0


@dataclass(kw_only=True)
class Rate:
    """So many a minute: as many at once, and then as they come back."""

    per_minute: int
    _left: float = field(default=-1.0, init=False)
    _at: float = field(default=0.0, init=False)

    def take(self, now: float) -> bool:
        """Whether there is one left; then it is gone."""
        if self._left < 0:
            self._left, self._at = float(self.per_minute), now
        back = max(0.0, now - self._at) * self.per_minute / MINUTE
        self._left = min(float(self.per_minute), self._left + back)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(kw_only=True)
class Seen:
    """What was there within some seconds."""

    seconds: float
    _until: OrderedDict[bytes, float] = field(default_factory=OrderedDict, init=False)

    def add(self, key: bytes, now: float) -> None:
        """It is there now. What is past is forgotten."""
        while self._until and next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)
        self._until[key] = now + self.seconds
        self._until.move_to_end(key)

    def has(self, key: bytes, now: float) -> bool:
        """Whether it was there, within the time."""
        return self._until.get(key, now) > now
