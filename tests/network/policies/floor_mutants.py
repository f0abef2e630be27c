"""Kubernetes' own policies, broken in one place at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from components.documents import Document

Path = tuple[str | int, ...]


def floor_mutants(
    documents: Sequence[Document], index: int
) -> Iterator[tuple[str, list[Document]]]:
    """All documents with that one broken, each with what was done."""
    yield "taken away", [*documents[:index], *documents[index + 1 :]]
    for path, what in _places(documents[index]["spec"], ()):
        broken = deepcopy(documents[index])
        _take(broken["spec"], path)
        yield what, [*documents[:index], broken, *documents[index + 1 :]]


def _places(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Each key and each item that can be taken away; what must be there in a valid document can't
    be, and stands in the name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in REQUIRED:
                yield (*path, key), f"{'.'.join(map(str, path))} without {key}"
            yield from _places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            # Without its only item a list is empty, which is what taking the list away does.
            if len(value) > 1:
                yield (*path, number), f"{'.'.join(map(str, path))} without {inner}"
            yield from _places(inner, (*path, number))


REQUIRED = ("podSelector", "policyTypes", "key", "operator", "values", "cidr", "protocol", "port")


def _take(value: Any, path: Path) -> None:
    for key in path[:-1]:
        value = value[key]
    del value[path[-1]]
