"""What is wrong with a stack file, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from corral.errors import BadInput
from corral.settings.secrecy import shown

SETTINGS_KEY = "corral:settings"
"""The one configuration key of a stack file."""

MOST_PROBLEMS = 500
"""Problems that are told at once. A file with more has one cause that repeats itself."""

_MOST_COMPARED = 100
_MOST_OF_A_KEY = 80

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Said:
    """Words in the place of a value, shown as they are."""

    text: str


MISSING = Said("nothing")
"""Stands where a value should be and nothing is."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong: where, what stands there, the rule, and the way out."""

    path: Path
    """Keys from `corral:settings` (or from the top of the file, for what stands outside of it)
    to the value; list positions are integers. ContradictionError start below `corral:settings`."""
    value: object
    """What stands there; MISSING if nothing does. Never print it: `found` is for that."""
    rule: str
    fix: str
    line: int | None = None
    """Line in the stack file, from 1."""

    @property
    def where(self) -> str:
        """`corral:settings.tenants.acme.readers[0]`."""
        return "".join(_step(element) for element in self.path).removeprefix(".")

    @property
    def found(self) -> str:
        """The value in short; never one that looks like a secret."""
        if isinstance(self.value, Said):
            return self.value.text
        return shown(self.value, path=self.path)

    def __str__(self) -> str:
        line = "" if self.line is None else f" (line {self.line})"
        told = (("found:  ", self.found), ("allowed:", self.rule), ("fix:    ", self.fix))
        return "\n".join([f"{self.where}{line}", *(f"  {what} {text}" for what, text in told)])


class SettingsError(BadInput):
    """Everything that is wrong with one stack file; `str()` is the text for its author."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        """The stack file, as its author knows it."""
        self.problems = tuple(problems)[:MOST_PROBLEMS]
        super().__init__(source, self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        amount = f"{count} problem{'' if count == 1 else 's'}"
        if count == MOST_PROBLEMS:
            amount = f"the first {amount}"
        head = f"{printable(self.source)}: {amount}"
        return "\n\n".join([head, *map(str, self.problems)])


@dataclass(frozen=True)
class Expected:
    """Says beside a type, in its annotation, what it allows: "a whole number from 1 to 9"."""

    text: str
    choices: tuple[str, ...] = ()
    """The texts that are allowed, where it is a list of texts."""


def one_of(choices: Iterable[str]) -> Expected:
    """What a choice from a list allows."""
    known = tuple(choices)
    return Expected(f"one of {', '.join(known)}", choices=known)


class NotAllowedError(ValueError):
    """A value that its own type refuses."""

    def __init__(self, *, rule: str, fix: str) -> None:
        super().__init__(f"must be {rule}")
        self.rule = rule
        self.fix = fix


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    by_plain = {plain(candidate): candidate for candidate in known}
    searched = by_plain if len(by_plain) <= _MOST_COMPARED else ()
    close = get_close_matches(plain(word[:_MOST_OF_A_KEY]), searched, n=1, cutoff=0.6)
    return by_plain[close[0]] if close else by_plain.get(plain(word))


def plain(word: str) -> str:
    """The word without what people confuse: case, `_` for `-`."""
    return word.lower().replace("_", "-")


def printable(text: str) -> str:
    """The text; escaped if it holds what a terminal would act on or can't show."""
    return text if text.isprintable() else repr(text)[1:-1]


def _step(element: str | int) -> str:
    if isinstance(element, int):
        return f"[{element}]"
    short = element if len(element) <= _MOST_OF_A_KEY else f"{element[:_MOST_OF_A_KEY]}…"
    return f".{printable(short)}" if short else '.""'
