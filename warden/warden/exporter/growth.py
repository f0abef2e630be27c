"""How an agent's memory grows: by the least that it held in each part of a window.

What a process gives back lowers a part's floor; what it never gives back stays in all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

PARTS = 4
"""Of a window; each is known by its floor."""
HOUR = 3600.0


@dataclass(kw_only=True, slots=True)
class Growth:
    """Of one process. Its memory is told again and again; gaps between are no harm."""

    window: float
    """Seconds."""
    _floors: tuple[int, ...] = ()
    _floor: int = 0
    _ends: float = 0.0

    def put(self, held: int, now: float) -> None:
        """It holds so many bytes."""
        part = self.window / PARTS
        if now >= self._ends:
            if self._ends and now < self._ends + part:
                self._floors = (*self._floors, self._floor)[-PARTS:]
            elif self._ends:
                # Longer unseen than a part: what was before says nothing of what is now.
                self._floors = ()
            self._floor, self._ends = held, now + part
        self._floor = min(self._floor, held)

    def per_hour(self) -> float | None:
        """Bytes by which the floor rose in an hour; None before two parts are over."""
        if len(self._floors) < 2:  # noqa: PLR2004 - a beginning and an end
            return None
        apart = (len(self._floors) - 1) * self.window / PARTS
        return (self._floors[-1] - self._floors[0]) * HOUR / apart

    def suspect(self, share: float) -> bool:
        """Whether it rose in every part of a whole window, and on the whole by more than that
        share of what it began with in an hour."""
        rise = self.per_hour()
        if rise is None or len(self._floors) < PARTS:
            return False
        rises = all(before < after for before, after in pairwise(self._floors))
        return rises and rise > share * self._floors[0]
