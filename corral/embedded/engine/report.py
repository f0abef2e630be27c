"""What a run did, or would do, as data: the engine prints nothing."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from corral.embedded.engine.differences import FieldChange
from corral.embedded.engine.ledger import Failure


class Action(StrEnum):
    """What happens, or happened, to one object."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    """Deleted and created again, since a field can't be changed in place."""
    ADOPT = "adopt"
    """It was there, and belonged to no stack."""
    UNCHANGED = "unchanged"
    DELETE = "delete"
    RELEASE = "release"
    """It stays in the cluster and leaves the stack."""
    WITHHOLD = "withhold"
    """Not applied: its endpoint can't exist in this cluster."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that just happened. `action` is one of `Action`, or "note" for a text alone, or
    "failure". Never holds a value of an object's field."""

    action: str
    text: str
    """One line for a person: `create Namespace agents-blue`."""
    urn: str | None = None
    id: str | None = None


OnEvent = Callable[[Event], None]


def nobody_listens(_: Event) -> None:
    """The listener of a run that nobody watches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One object that isn't what it was."""

    action: Action
    kind: str
    """`Role.rbac.authorization.k8s.io`, `Namespace`."""
    id: str
    urn: str | None
    """None for an object that nothing says the URN of."""
    fields: tuple[FieldChange, ...] = ()
    """Plans only, and only for objects that are there already."""
    checked: str = ""
    """Plans only: "" when the API server judged exactly this object by a dry run; otherwise how far
    the check went, in words."""

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The result of an `up`, a plan or a destroy."""

    operation: str
    """`up`, `plan` or `destroy`."""
    counts: Mapping[Action, int]
    """Every object is counted once; actions that didn't occur are missing."""
    changes: tuple[Change, ...] = ()
    """Everything but what is unchanged, in the order in which it was done."""
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    """What else a person should know: warnings of the API server, why nothing was pruned."""
    seconds: float = 0.0
    registered: int = 0
    """Objects that the program registered."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """The stack's outputs, for stacks that refer to it; none after a destroy."""
    cancelled: bool = False
    """Nothing was done because whoever was asked said no."""

    @property
    def ok(self) -> bool:
        return not self.failures and not self.cancelled

    @property
    def withheld(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action is Action.WITHHOLD)

    @property
    def changed(self) -> bool:
        """Whether anything in the cluster is, or would be, other than before."""
        return any(change.action is not Action.WITHHOLD for change in self.changes)

    @property
    def objects_per_second(self) -> float:
        return sum(self.counts.values()) / self.seconds if self.seconds else 0.0


@dataclass(kw_only=True)
class Record:
    """Collects what happens during a run. May be used from many threads; the listener hears of one
    event at a time."""

    on_event: OnEvent
    _telling: threading.Lock = field(default_factory=threading.Lock)
    changes: list[Change] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)

    def change(self, change: Change) -> None:
        if change.action is Action.UNCHANGED:
            self.unchanged.append(change.id)
        else:
            self.changes.append(change)
        self.on_event(Event(action=change.action, text=str(change), urn=change.urn, id=change.id))

    def fail(self, urn: str, reason: str) -> None:
        """Something other than a registration went wrong (those are counted by the monitor)."""
        self.failures.append(Failure(urn=urn, reason=reason))
        self.tell(Event(action="failure", text=reason, urn=urn))

    def note(self, text: str) -> None:
        """Each text once in the report; on the screen whenever it comes."""
        self.notes[text] = None
        self.progress(text)

    def progress(self, text: str) -> None:
        """A text that is worth nothing afterwards."""
        self.tell(Event(action="note", text=text))

    def tell(self, event: Event) -> None:
        """Hands an event on and keeps nothing."""
        with self._telling:
            self.on_event(event)

    def counts(self) -> dict[Action, int]:
        found = Counter(change.action for change in self.changes)
        if self.unchanged:
            found[Action.UNCHANGED] = len(self.unchanged)
        return dict(found)
