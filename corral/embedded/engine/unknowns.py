"""Values that a plan doesn't know, and dry runs that have to do without them."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any, Final

from corral.embedded.engine.registration import UNKNOWN, Document, Path


def known_from(live: Document, document: Document, unknown: Iterable[Path]) -> Document:
    """A copy of `document` with the live object's values where it holds unknowns; where the live
    object has none, the field is left out."""
    probe = deepcopy(document)
    for path in sorted(unknown, key=_last_first, reverse=True):
        _put(probe, path, _at(live, path))
    return probe


def unknown_again(document: Document, unknown: Iterable[Path]) -> None:
    """Puts UNKNOWN back where it stood."""
    for path in sorted(unknown, key=_last_first):
        _put(document, path, UNKNOWN)


_ABSENT: Final = object()


def _last_first(path: Path) -> tuple[tuple[int, str], ...]:
    """Items of one list in the order of their index, so that removals don't move the others."""
    return tuple((step, "") if isinstance(step, int) else (0, step) for step in path)


def _at(document: Any, path: Path) -> Any:
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return document


def _put(document: Any, path: Path, value: Any) -> None:
    holder, step = _at(document, path[:-1]), path[-1]
    if isinstance(holder, dict) and isinstance(step, str):
        if value is _ABSENT:
            holder.pop(step, None)
        else:
            holder[step] = value
    elif isinstance(holder, list) and isinstance(step, int) and step < len(holder):
        if value is _ABSENT:
            del holder[step]
        else:
            holder[step] = value
