"""What is being taken away from tenants, and since when that is known.

Learning of it isn't doing it: a tenant's record is written first, and only then do answers change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What a tenant may reach: nothing, of one that is closed."""

    allowed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    """Addresses of its pods that may reach nothing."""

    def loses(self, later: Reach) -> bool:
        """Whether something of it is gone later. What is added takes nothing away."""
        kept = self.allowed <= later.allowed and later.denied <= self.denied
        return bool(self.allowed) and not kept


class Taking:
    """By owner. Nothing counts before `begin`: what a start finds happened to nobody just now."""

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._begun = False
        self._served: dict[str, Reach] = {}
        self._due: dict[str, float] = {}
        self._done: list[float] = []

    def begin(self) -> None:
        """Everything that was there is known: from now on changes are changes."""
        if not self._begun:
            self._begun = True
            self._due.clear()
            self._done.clear()

    def wanted(self, owner: str, reach: Reach, *, served: bool) -> None:
        """What an owner is to reach from now on, and whether answers say so already."""
        if self._served.get(owner, Reach()).loses(reach):
            self._due.setdefault(owner, self._clock())
        else:
            # Given back before it was taken.
            self._due.pop(owner, None)
        if served:
            self._served[owner] = reach
            if (learned := self._due.pop(owner, None)) is not None and self._begun:
                self._done.append(learned)

    def oldest(self) -> float | None:
        """Since when something is to be taken away that no answer carries yet."""
        return min(self._due.values(), default=None) if self._begun else None

    def carried(self) -> list[float]:
        """When that was learned which answers made now carry for the first time."""
        found, self._done = self._done, []
        return found
