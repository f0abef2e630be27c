"""Documents and texts that can be shown: secrets and unknowns replaced by marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from corral.embedded.engine.registration import UNKNOWN, Document, Path

SECRET_MARK: Final[Mapping[str, str]] = {"$corral": "secret"}
UNKNOWN_MARK: Final[Mapping[str, str]] = {"$corral": "unknown"}
HIDDEN: Final = "[secret]"
"""What stands for a secret inside a text."""

_SHORTEST: Final = 4
"""Shorter secrets are too common in ordinary text to be searched for in it."""


def masked(document: Document, secret_paths: Iterable[Path]) -> Document:
    """A copy with {"$corral": "secret"} at each secret path, whatever stands beneath it, and
    {"$corral": "unknown"} for each UNKNOWN. A path that isn't in the document is passed over.

    The copy has a JSON form and shares nothing with the document. Its keys are sorted, since
    protobuf maps, which documents come from, have no order of their own.
    """
    secrets: dict[Any, Any] = {}
    for path in secret_paths:
        branch = secrets
        for part in path:
            branch = branch.setdefault(part, {})
        branch[_HERE] = True
    shown: Document = _masked(document, secrets)
    return shown


_HERE: Final = object()


def _masked(value: Any, secrets: Mapping[Any, Any]) -> Any:
    if _HERE in secrets:
        return dict(SECRET_MARK)
    if value is UNKNOWN:
        return dict(UNKNOWN_MARK)
    if isinstance(value, dict):
        return {key: _masked(value[key], secrets.get(key, {})) for key in sorted(value)}
    if isinstance(value, list):
        return [_masked(item, secrets.get(index, {})) for index, item in enumerate(value)]
    return value


def secret_texts(document: Document, secret_paths: Iterable[Path]) -> frozenset[str]:
    """The texts that stand at secret paths, for `hidden`."""
    found: set[str] = set()
    for path in secret_paths:
        value: Any = document
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                break
        else:
            _collect(value, found)
    return frozenset(found)


def _collect(value: Any, found: set[str]) -> None:
    if isinstance(value, str):
        found.add(value)
    elif isinstance(value, dict):
        for item in value.values():
            _collect(item, found)
    elif isinstance(value, list):
        for item in value:
            _collect(item, found)


def hidden(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets: each occurrence becomes "[secret]", longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, HIDDEN)
    return text
