"""Conditions of detections, from their documents to something that is quick to ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

Holds = Callable[[Mapping[str, Any]], bool]
"""Whether a condition holds for the fields of an event. A field that an event doesn't have is
nothing: no condition holds for it, and so the opposite does."""


class UnknownConditionError(ValueError):
    """A document that this version doesn't understand. The text names the word."""


def compiled(document: Mapping[str, Any]) -> Holds:
    """The condition in a document."""
    if len(document) != 1:
        raise UnknownConditionError(", ".join(document) or "nothing")
    ((word, told),) = document.items()
    match word:
        case "all":
            parts = [compiled(part) for part in told]
            return lambda fields: all(part(fields) for part in parts)
        case "any":
            parts = [compiled(part) for part in told]
            return lambda fields: any(part(fields) for part in parts)
        case "not":
            inner = compiled(told)
            return lambda fields: not inner(fields)
        case "fact":
            return lambda fields: fields.get(told) is True
    try:
        make = _LEAVES[word]
    except KeyError:
        raise UnknownConditionError(word) from None
    name, holds = told["field"], make(told["values"])
    return lambda fields: any(holds(value) for value in _values(fields, name))


def _values(fields: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    value = fields.get(name)
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _in(values: list[Any]) -> Callable[[Any], bool]:
    return frozenset(values).__contains__


def _under(folders: list[str]) -> Callable[[str], bool]:
    inside = tuple(f"{folder}/" for folder in folders)
    exactly = frozenset(folders)
    return lambda path: path in exactly or path.startswith(inside)


def _ends(ends: list[str]) -> Callable[[str], bool]:
    return lambda path: path.endswith(tuple(ends))


def _within(networks: list[str]) -> Callable[[str], bool]:
    known = [ip_network(network) for network in networks]

    @lru_cache(maxsize=4096)
    def holds(address: str) -> bool:
        found = ip_address(address)
        mapped = getattr(found, "ipv4_mapped", None)
        return any((mapped or found) in network for network in known)

    return holds


_LEAVES: Mapping[str, Callable[[Any], Callable[[Any], bool]]] = {
    "in": _in,
    "under": _under,
    "ends": _ends,
    "within": _within,
}
