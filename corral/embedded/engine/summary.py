"""What a destroy would take away, for whoever has to say yes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from corral.embedded.engine.removal import Decision


@dataclass(frozen=True, kw_only=True, slots=True)
class DestroySummary:
    """`str(summary)` is the text to ask with."""

    stack: str
    server: str
    kinds: Mapping[str, int]
    """How many objects of each kind go; most first."""
    namespaces: tuple[str, ...]
    """Namespaces that go, with whatever else is in them."""
    kept: tuple[str, ...]
    """Objects that leave the stack and stay in the cluster: `Namespace blue`."""

    @classmethod
    def of(cls, decision: Decision, *, stack: str, server: str) -> Self:
        going = [live.key for wave in decision.waves for live in wave]
        return cls(
            stack=stack,
            server=server,
            kinds=dict(Counter(key.group_kind for key in going).most_common()),
            namespaces=tuple(sorted(key.name for key in going if key.is_namespace)),
            kept=tuple(sorted(str(live.key) for live, _ in decision.release)),
        )

    @property
    def objects(self) -> int:
        return sum(self.kinds.values())

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.items())
        lines = [
            f"Destroying stack {self.stack} on {self.server} deletes {self.objects} objects: "
            f"{kinds or 'none'}."
        ]
        if self.namespaces:
            shown = ", ".join(self.namespaces[:_SHOWN])
            more = len(self.namespaces) - _SHOWN
            lines.append(
                f"Whatever else is in these namespaces goes too: {shown}"
                + (f" and {more} more." if more > 0 else ".")
            )
        if self.kept:
            lines.append(f"These stay in the cluster: {', '.join(self.kept)}.")
        return "\n".join(lines)


_SHOWN = 10
