"""A YAML file as plain JSON values, with the line of every key.

PyYAML's events are read, not its nodes: those it builds recursively, and a file of a few hundred
kilobytes of `[` then overflows the C stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from corral.settings.problems import MOST_PROBLEMS, Path, Problem, Said
from corral.settings.scalars import BOOLEANS, NULLS, AmbiguousError, Scalar, plain_scalar

MOST_BYTES = 4 * 2**20
MOST_DEPTH = 40
MOST_NODES = 500_000
"""Values that a file may come to, each alias counted as all that it stands for."""

WHOLE_FILE: Path = ("stack file",)
"""Path of a problem that concerns no key."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONTROL = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SYNTAX_FIX = (
    "look at that line and the one before it: indentation, quotes, brackets, a space after each "
    "colon; quote a text that holds `: ` or starts with one of @ ` % * & ! | > { ["
)
_TAB_FIX = "indent with spaces instead of tabs"


class UnreadableError(Exception):
    """The file is no YAML that could be judged further."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file's value, the lines of its keys, and what was wrong on the way."""

    value: Any
    """dict, list, str, int, float, bool or None."""
    problems: tuple[Problem, ...]
    """Duplicate keys, ambiguous scalars: each left out or replaced in `value`."""
    lines: dict[int, dict[str | int, int]]
    """By id() of a dict or list in `value`: the line of each key or position."""

    def line(self, path: Path) -> int | None:
        """The line of that key, or of the nearest one above it that exists."""
        here, found = self.value, None
        for step in path:
            known = self.lines.get(id(here), {})
            if step not in known:
                return found
            found = known[step]
            here = here[step]
        return found


def read_document(data: bytes) -> Document:
    """The one document in the data; its value is None if there is none. Raises UnreadableError."""
    if len(data) > MOST_BYTES:
        raise _unreadable(Said("more"), "at most 4 MiB", "split the stack in several")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = Said(f"byte 0x{data[error.start]:02x}")
        line = data.count(b"\n", 0, error.start) + 1
        raise _unreadable(byte, "text in UTF-8", "save the file as UTF-8", line=line) from None
    if control := _CONTROL.search(text):
        raise _unreadable(
            Said(f"character U+{ord(control[0]):04X}"),
            "no control characters but tabs and line ends",
            "remove it, or write it as an escape in double quotes",
            line=text.count("\n", 0, control.start()) + 1,
        )
    try:
        return _Reader(yaml.parse(text, Loader=_LOADER)).document()
    except yaml.YAMLError as error:
        raise _syntax(error, text) from None


def _syntax(error: yaml.YAMLError, text: str) -> UnreadableError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    # PyYAML quotes names of tags and aliases: `token: !abc` would be printed.
    reason = re.sub(r"'[^'<>]{4,}'", "…", str(getattr(error, "problem", None) or "no YAML"))
    reason = reason.removeprefix("found ")
    if mark is None:
        return _unreadable(Said(reason), "YAML", _SYNTAX_FIX)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    return _unreadable(
        Said(f"{reason}, at column {mark.column + 1}"),
        "YAML",
        _TAB_FIX if line[mark.column : mark.column + 1] == "\t" else _SYNTAX_FIX,
        line=mark.line + 1,
    )


def _unreadable(found: Said, rule: str, fix: str, *, line: int | None = None) -> UnreadableError:
    return UnreadableError(Problem(path=WHOLE_FILE, value=found, rule=rule, fix=fix, line=line))


@dataclass
class _Anchored:
    value: Any = None
    size: int = 0
    complete: bool = False


@dataclass
class _Reader:
    events: Iterator[Any]
    problems: list[Problem] = field(default_factory=list)
    lines: dict[int, dict[str | int, int]] = field(default_factory=dict)
    anchors: dict[str, _Anchored] = field(default_factory=dict)
    path: list[str | int] = field(default_factory=list)
    size: int = 0

    def document(self) -> Document:
        value: Any = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    line = _line(event)
                    raise _unreadable(Said("a second one"), "one document", "remove it", line=line)
                value = self._value(next(self.events))
        return Document(value=value, problems=tuple(self.problems), lines=self.lines)

    def _value(self, event: Any) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._count(event, 1)
        if len(self.path) > MOST_DEPTH:
            raise _unreadable(
                Said("more"),
                f"at most {MOST_DEPTH} levels of nesting",
                "settings need less: look for brackets too many",
                line=_line(event),
            )
        anchored = _Anchored()
        before = self.size
        if event.anchor is not None:
            self.anchors[event.anchor] = anchored
        if event.tag is not None:
            self._wrong(
                event,
                Said("a tag (!…)"),
                "no tags: a value is what it looks like",
                "remove the tag",
            )
        if isinstance(event, yaml.ScalarEvent):
            anchored.value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            anchored.value = self._sequence()
        else:
            anchored.value = self._mapping()
        anchored.size = self.size - before + 1
        anchored.complete = True
        return anchored.value

    def _alias(self, event: Any) -> Any:
        anchored = self.anchors.get(event.anchor)
        if anchored is None or not anchored.complete:
            raise _unreadable(
                Said(
                    "an alias of nothing" if anchored is None else "an alias of what it is part of"
                ),
                "aliases of anchors that are complete before them",
                "write the value out",
                line=_line(event),
            )
        self._count(event, anchored.size)
        return anchored.value

    def _count(self, event: Any, size: int) -> None:
        self.size += size
        if self.size > MOST_NODES:
            raise _unreadable(
                Said("more"),
                f"at most {MOST_NODES} values, aliases counted as what they stand for",
                "split the stack in several, or use fewer aliases of aliases",
                line=_line(event),
            )

    def _sequence(self) -> list[Any]:
        items: list[Any] = []
        lines = self.lines[id(items)] = {}
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            lines[len(items)] = _line(event)
            self.path.append(len(items))
            items.append(self._value(event))
            self.path.pop()
        return items

    def _mapping(self) -> dict[str, Any]:
        items: dict[str, Any] = {}
        lines = self.lines[id(items)] = {}
        merged: list[Any] = []
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event)
            line = _line(event)
            self.path.append(key)
            if key == "<<" and _is_plain(event) and not merged:
                merged.append((event, self._value(next(self.events))))
            elif key in lines:
                self._value(next(self.events))
                self._wrong(
                    event,
                    Said("the key a second time"),
                    f"each key once; it stands on line {lines[key]} already",
                    "remove one of the two, or put what is under them together",
                )
            else:
                lines[key] = line
                items[key] = self._value(next(self.events))
            self.path.pop()
        for event, value in merged:
            self._merge(event, value, items, lines)
        return items

    def _merge(
        self, event: Any, value: Any, items: dict[str, Any], lines: dict[str | int, int]
    ) -> None:
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, dict):
                self._wrong(event, value, "`<<` takes mappings in", "give it an alias of a mapping")
                return
            for key, item in part.items():
                if key not in items:
                    items[key] = item
                    lines[key] = self.lines[id(part)][key]

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise _unreadable(
                Said("a key that is a list, a mapping or an alias"),
                "keys that are text",
                "write the key out",
                line=_line(event),
            )
        self._count(event, 1)
        text: str = event.value
        if _is_plain(event) and (text in NULLS or text in BOOLEANS):
            self.path.append(text)
            self._wrong(
                event, text, "keys are text: YAML reads this one as something else", "quote it"
            )
            self.path.pop()
        return text

    def _scalar(self, event: Any) -> Scalar:
        text: str = event.value
        if not _is_plain(event):
            return text
        try:
            return plain_scalar(text)
        except AmbiguousError:
            self._wrong(
                event,
                text,
                "plain decimal numbers, or text in quotes: programs read this one differently",
                "write the number in plain digits, or put quotes around the text",
            )
            return text

    def _wrong(self, event: Any, value: object, rule: str, fix: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(
                Problem(
                    path=tuple(self.path) or WHOLE_FILE,
                    value=value,
                    rule=rule,
                    fix=fix,
                    line=_line(event),
                )
            )


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _is_plain(event: Any) -> bool:
    return event.tag is None and not event.style
