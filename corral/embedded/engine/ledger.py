"""What a run has registered so far, as far as later registrations need to know."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from corral.embedded.engine.refusals import Refused


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One resource that failed, and everything that was therefore not done."""

    urn: str
    reason: str
    skipped: tuple[str, ...] = ()
    """URNs that depend on it, in the order in which the program registered them. One that depends
    on several failures stands under the first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inherited:
    """What children take over from the components (and objects) around them."""

    protect: bool | None = None
    """None where nobody said anything."""
    retain_on_delete: bool | None = None
    dependencies: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


NOTHING = Inherited()


class Ledger:
    """Thread-safe. It holds URNs and options, never inputs or outputs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._urns: set[str] = set()
        self._inherited: dict[str, Inherited] = {}
        self._inside: dict[str, tuple[str, ...]] = {}
        self._reasons: dict[str, str] = {}
        self._skipped: dict[str, list[str]] = {}
        self._cause: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._urns)

    def claim(self, urn: str) -> None:
        """Note the URN; Refused when a resource has it already."""
        with self._lock:
            if urn in self._urns:
                raise Refused(
                    f"Two resources have the URN {urn}. Resources of one type and parent need "
                    "different names."
                )
            self._urns.add(urn)

    def pass_on(self, urn: str, inherited: Inherited) -> None:
        """Remember what the children of `urn` inherit."""
        if inherited != NOTHING:
            self._inherited[urn] = inherited

    def inherited(self, parent: str) -> Inherited:
        """What children of `parent` inherit."""
        return self._inherited.get(parent, NOTHING)

    def contain(self, chart: str, objects: tuple[str, ...]) -> None:
        """Remember which objects a chart became."""
        self._inside[chart] = objects

    def expanded(self, urns: Iterable[str]) -> set[str]:
        """The URNs, each chart replaced by the objects in it."""
        found: set[str] = set()
        for urn in urns:
            found.update(self._inside.get(urn, (urn,)))
        return found

    def fail(self, urn: str, reason: str) -> None:
        """Note that the resource failed."""
        with self._lock:
            self._reasons[urn] = reason
            self._skipped[urn] = []
            self._cause[urn] = urn

    def skip_after(self, urn: str, needed: Iterable[str]) -> bool:
        """Whether one of `needed` failed or was skipped; if so, note `urn` as skipped for it."""
        for other in needed:
            cause = self._cause.get(other)
            if cause is not None:
                with self._lock:
                    self._cause[urn] = cause
                    self._skipped[cause].append(urn)
                return True
        return False

    def failures(self) -> tuple[Failure, ...]:
        """All failures, in the order in which they happened."""
        return tuple(
            Failure(urn=urn, reason=reason, skipped=tuple(self._skipped[urn]))
            for urn, reason in self._reasons.items()
        )
