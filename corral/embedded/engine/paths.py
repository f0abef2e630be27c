"""Property paths as Pulumi writes them, and what stands there in a document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, Final

from corral.embedded.engine.registration import ResourceFailed


class Each(Enum):
    """The type of EACH."""

    EACH = "*"


EACH: Final = Each.EACH
"""Every key of a map, every item of a list."""

Step = str | int | Each

_STEP = re.compile(
    r"""
      \[\s*"(?P<quoted>(?:[^"\\]|\\.)*)"\s*\]
    | \[\s*(?P<index>\d+)\s*\]
    | \[\s*\*\s*\]
    | (?:^|\.)(?P<star>\*)
    | (?:^|\.)(?P<name>[^.\[\]"]+)
    """,
    re.VERBOSE,
)


def parse(text: str) -> tuple[Step, ...]:
    """`spec.template`, `metadata.annotations["a/b"]`, `spec.ports[0].port`, `a[*].b`, `*`.
    ResourceFailed for anything else."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            break
        steps.append(_step(found))
        at = found.end()
    if not steps or at < len(text) or text.startswith("."):
        raise ResourceFailed(
            f"{text!r} is no property path. Write it as spec.replicas, "
            'metadata.annotations["a/b"] or spec.ports[*].port'
        )
    return tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if found["quoted"] is not None:
        return re.sub(r"\\(.)", r"\1", found["quoted"])
    if found["index"] is not None:
        return int(found["index"])
    return found["name"] if found["name"] is not None else EACH


def values(document: Any, path: Sequence[Step]) -> list[Any]:
    """What stands at `path`, once for each way in which it matches."""
    found = [document]
    for step in path:
        found = [item for value in found for _, item in _items(value, step)]
    return found


def copy(source: Any, target: Any, path: Sequence[Step]) -> None:
    """Makes `target` say at `path` what `source` says there, or nothing where that says nothing.
    Lists are matched by index; what isn't in both is left alone."""
    if not path:
        return
    step, rest = path[0], path[1:]
    if rest:
        for key, item in list(_items(target, step)):
            copy(_at(source, key), item, rest)
        _grow(source, target, step, rest)
        return
    for key in dict.fromkeys(k for side in (source, target) for k, _ in _items(side, step)):
        wanted = _at(source, key)
        if isinstance(target, dict) and isinstance(key, str):
            if wanted is _NOTHING:
                target.pop(key, None)
            else:
                target[key] = wanted
        elif wanted is not _NOTHING and _has_index(target, key):
            target[key] = wanted


def _has_index(target: Any, key: Any) -> bool:
    return isinstance(target, list) and isinstance(key, int) and key < len(target)


def _grow(source: Any, target: Any, step: Step, rest: Sequence[Step]) -> None:
    """Maps on the way that only the source has, so that a field beneath them can be copied."""
    if not isinstance(target, dict) or not isinstance(rest[0], str):
        return
    for key, item in list(_items(source, step)):
        if isinstance(key, str) and key not in target and values(item, rest):
            target[key] = {}
            copy(item, target[key], rest)


def remove(document: Any, path: Sequence[Step]) -> None:
    """Takes out what stands at `path`; items of lists become null so that others keep their
    index."""
    if not path:
        return
    for key, item in list(_items(document, path[0])):
        if len(path) > 1:
            remove(item, path[1:])
        elif isinstance(document, dict):
            del document[key]
        else:
            document[key] = None


class _Nothing(Enum):
    NOTHING = 0


_NOTHING: Final = _Nothing.NOTHING


def _at(document: Any, key: str | int) -> Any:
    if isinstance(document, dict):
        return document.get(key, _NOTHING)
    if isinstance(document, list) and isinstance(key, int) and key < len(document):
        return document[key]
    return _NOTHING


def _items(document: Any, step: Step) -> Iterator[tuple[Any, Any]]:
    if step is EACH:
        if isinstance(document, dict):
            yield from document.items()
        elif isinstance(document, list):
            yield from enumerate(document)
        return
    found = _at(document, step)
    if found is not _NOTHING:
        yield step, found


def text(path: Sequence[str | int]) -> str:
    """The way a person reads a path: `metadata.annotations["a/b"]`, `spec.ports[0]`."""
    said = ""
    for step in path:
        if isinstance(step, int):
            said += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z0-9_$-]+", step):
            said += f".{step}" if said else step
        else:
            said += f'["{step}"]'
    return said
