"""What a tenant could reach last: how it is known that something was taken away.

Envoy leaves tunnels alone that stand already. A tenant's doors get another generation when its list
shrank or a source was shut out, and then everything that came in by the old ones is cut. Nothing is
cut when something is added.

Every replica must come to the same generation, whenever it started: so the record stands on the
tenant's ConfigMap, and only what it says is served.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

ANNOTATION = "egress.corral.dev/record"
ENDS_ANNOTATION = "egress.corral.dev/certificates"
"""On the shared part: when what is in each of the control plane's Secrets ends, in Unix seconds.
Whoever watches over that needs no Secret."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """Of one tenant."""

    generation: int = 0
    """0 before anything was ever allowed."""
    allowed: frozenset[str] = frozenset()
    """What it may reach, each in a word."""
    denied: frozenset[str] = frozenset()
    """Addresses of its pods that may reach nothing."""
    shortened: int = 0
    """The generation in which something last left the list; 0 if nothing ever did."""

    def text(self) -> str:
        """As an annotation: the same for the same record."""
        return json.dumps(
            {
                "generation": self.generation,
                "allowed": sorted(self.allowed),
                "denied": sorted(self.denied),
                "shortened": self.shortened,
            }
        )


def parse_record(text: str | None) -> Record:
    """From an annotation; what can't be read is as if nothing had been recorded."""
    try:
        found = json.loads(text or "{}")
        return Record(
            generation=int(found.get("generation", 0)),
            allowed=frozenset(map(str, found.get("allowed", ()))),
            denied=frozenset(map(str, found.get("denied", ()))),
            shortened=int(found.get("shortened", 0)),
        )
    except (ValueError, TypeError, AttributeError):
        return Record()


def next_record(last: Record, *, allowed: Iterable[str], denied: Iterable[str]) -> Record:
    """The record of what holds from now on; the last one where nothing changed."""
    now_allowed, now_denied = frozenset(allowed), frozenset(denied)
    shorter = not last.allowed <= now_allowed
    taken_away = shorter or not now_denied <= last.denied
    if (
        not taken_away
        and last.generation
        and (now_allowed, now_denied)
        == (
            last.allowed,
            last.denied,
        )
    ):
        return last
    generation = last.generation + 1 if taken_away or not last.generation else last.generation
    return Record(
        generation=generation,
        allowed=now_allowed,
        denied=now_denied,
        shortened=generation if shorter else last.shortened,
    )
