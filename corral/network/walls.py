"""What is said of a connection: one word of each wall that it meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Wall:
    """One wall's word, by one rule."""

    name: str
    """Which wall."""
    rule: str
    """What its rule is called in the documents; what it says where nothing fits, if none has a
    name."""
    passes: bool
    why: str


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way in which a sandbox may try, and the walls in the order in which it meets them. The
    last one that is asked is the first that refuses."""

    name: str
    walls: Sequence[Wall]
    traits: frozenset[str] = field(default_factory=frozenset)
    """What a connection by this way is like: see `corral.network.risks`."""

    @property
    def reaches(self) -> bool:
        """Whether every wall lets it pass."""
        return all(wall.passes for wall in self.walls)


def until_refused(walls: Sequence[Wall]) -> list[Wall]:
    """What is met: nothing behind the first refusal."""
    met: list[Wall] = []
    for wall in walls:
        met.append(wall)
        if not wall.passes:
            break
    return met
