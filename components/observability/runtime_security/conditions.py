"""Conditions on what a sandbox did: one form, for Falco and for the reader of gVisor's events.

A condition names fields of an event (`warden/seccheck/events.py` says what each one holds). Falco's
text comes from `falco()`, the reader's document from `document()`: neither is written twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from corral.policy.steering import CLASS_LABEL

FALCO_FIELDS = {
    "program": "proc.name",
    "binary": "basename(proc.exepath)",
    "spawner": "proc.pname",
    "ancestors": "proc.aname",
    "path": "fs.path.name",
    "socket": "fd.name",
    "address": "fd.sip",
    "port": "fd.sport",
    "syscall": "evt.type",
    "request": "evt.arg.request",
    "flags": "evt.arg.flags",
}
"""What Falco calls each field that holds a text or a number."""

FALCO_FACTS = {
    "first": "proc.vpid = 1",
    "opened": "fd.num >= 0",
    "writes": "evt.is_open_write = true",
}
"""And each that holds or doesn't."""

_IN_ONE_TEXT = ("flags", "request")
"""Fields in which Falco writes several names into one text."""
_CLASS = f"k8s.pod.label[{CLASS_LABEL}]"

Document = dict[str, Any]


class Condition(ABC):
    """What holds for an event, or doesn't. A field that an event lacks fulfils nothing."""

    @abstractmethod
    def falco(self) -> str:
        """In Falco's language."""

    @abstractmethod
    def document(self, classes: frozenset[str], /) -> Document:
        """As the reader of gVisor's events takes it, for sandboxes of these agent classes."""


@dataclass(frozen=True)
class In(Condition):
    """The field is one of these; of a field with several values, one of them is."""

    field: str
    values: tuple[str | int, ...]

    def falco(self) -> str:
        """A list; or one comparison for each where several names stand in one text."""
        name = FALCO_FIELDS[self.field]
        if self.field in _IN_ONE_TEXT:
            return _either(f"{name} contains {each}" for each in self.values)
        return f"{name} in ({_listed(self.values)})"

    def document(self, _: frozenset[str], /) -> Document:
        """As `in`."""
        return {"in": {"field": self.field, "values": list(self.values)}}


@dataclass(frozen=True)
class Under(Condition):
    """The path is one of these folders' or below it."""

    field: str
    folders: tuple[str, ...]

    def falco(self) -> str:
        """The folder itself, or what starts with it and a slash."""
        name = FALCO_FIELDS[self.field]
        inside = [f"{name} startswith {_quoted(f'{folder}/')}" for folder in self.folders]
        return _either([f"{name} in ({_listed(self.folders)})", *inside])

    def document(self, _: frozenset[str], /) -> Document:
        """As `under`."""
        return {"under": {"field": self.field, "values": list(self.folders)}}


@dataclass(frozen=True)
class Ends(Condition):
    """The path ends so."""

    field: str
    ends: tuple[str, ...]

    def falco(self) -> str:
        """One comparison for each."""
        return _either(f"{FALCO_FIELDS[self.field]} endswith {_quoted(end)}" for end in self.ends)

    def document(self, _: frozenset[str], /) -> Document:
        """As `ends`."""
        return {"ends": {"field": self.field, "values": list(self.ends)}}


@dataclass(frozen=True)
class Within(Condition):
    """The other side's address is in one of these networks."""

    networks: tuple[str, ...]

    def falco(self) -> str:
        """Falco compares networks by a field of their own."""
        return f"fd.snet in ({_listed(self.networks)})"

    def document(self, _: frozenset[str], /) -> Document:
        """As `within`."""
        return {"within": {"field": "address", "values": list(self.networks)}}


@dataclass(frozen=True)
class Fact(Condition):
    """The field holds."""

    field: str

    def falco(self) -> str:
        """What Falco has for it."""
        return FALCO_FACTS[self.field]

    def document(self, _: frozenset[str], /) -> Document:
        """As `fact`."""
        return {"fact": self.field}


@dataclass(frozen=True, eq=False)
class OfClass(Condition):
    """The field is one of what the sandbox's agent class may have. gVisor's events don't say the
    class: there, it is one of what any class of that tier may have."""

    field: str
    values: Mapping[str, tuple[str, ...]]

    def falco(self) -> str:
        """By the pod's label; a class that nobody knows may have nothing."""
        name = FALCO_FIELDS[self.field]
        return _either(
            f"({_CLASS} = {_quoted(agent)} and {name} in ({_listed(mine)}))"
            for agent, mine in sorted(self.values.items())
        )

    def document(self, classes: frozenset[str], /) -> Document:
        """As `in`, of all these classes together."""
        united = {each for agent in classes for each in self.values.get(agent, ())}
        return {"in": {"field": self.field, "values": sorted(united)}}


@dataclass(frozen=True)
class Not(Condition):
    """It doesn't hold."""

    condition: Condition

    def falco(self) -> str:
        """With the whole of it between brackets."""
        return f"not ({self.condition.falco()})"

    def document(self, classes: frozenset[str], /) -> Document:
        """As `not`."""
        return {"not": self.condition.document(classes)}


class AllOf(Condition):
    """All of them hold."""

    def __init__(self, *conditions: Condition) -> None:
        self.conditions = conditions

    def falco(self) -> str:
        """Each between brackets."""
        return " and ".join(f"({part.falco()})" for part in self.conditions)

    def document(self, classes: frozenset[str], /) -> Document:
        """As `all`."""
        return {"all": [part.document(classes) for part in self.conditions]}


class AnyOf(Condition):
    """One of them holds."""

    def __init__(self, *conditions: Condition) -> None:
        self.conditions = conditions

    def falco(self) -> str:
        """Each between brackets."""
        return _either(f"({part.falco()})" for part in self.conditions)

    def document(self, classes: frozenset[str], /) -> Document:
        """As `any`."""
        return {"any": [part.document(classes) for part in self.conditions]}


def _either(texts: Iterable[str]) -> str:
    return f"({' or '.join(texts)})"


def _listed(values: Iterable[str | int]) -> str:
    return ", ".join(map(_quoted, values))


def _quoted(value: str | int) -> str:
    """Falco takes a bare word; anything else between quotation marks."""
    text = str(value)
    return text if text.replace("_", "").isalnum() else f'"{text}"'
