"""A resource's inputs: one that no adapter reads is one of which nothing is proven."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Unread(Exception):
    """An adapter left inputs unread, or asked for one that isn't there."""


class Given:
    """The inputs of one resource, or of one block in them; camelCase keys, plain JSON."""

    def __init__(self, document: Mapping[str, Any], path: str = "") -> None:
        self._document = document
        self._path = path
        self._read: set[str] = set()
        self._inner: list[Given] = []

    def __getitem__(self, key: str) -> Any:
        """A required input. Unread when it is missing."""
        if key not in self._document:
            raise Unread(f"`{self._path}{key}` is needed and isn't given")
        return self.get(key)

    def get(self, key: str, default: Any = None) -> Any:
        """An input with everything in it."""
        self._read.add(key)
        return self._document.get(key, default)

    def block(self, key: str) -> Given | None:
        """An input that is a block of further inputs, each to be read by itself."""
        found = self.get(key)
        return None if found is None else self._inside(found, f"{self._path}{key}.")

    def blocks(self, key: str) -> list[Given]:
        """An input that is a list of blocks; none where it isn't given."""
        return [
            self._inside(item, f"{self._path}{key}[{index}].")
            for index, item in enumerate(self.get(key) or ())
        ]

    def only_provider(self, *keys: str) -> None:
        """Inputs that steer the provider (waiting, deleting) and that no call of AWS carries."""
        self._read.update(keys)

    def renamed(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Parameters of a call: the inputs that are given, under AWS's names."""
        return {aws: self.get(key) for key, aws in names.items() if key in self._document}

    def pascal(self, *keys: str) -> dict[str, Any]:
        """As `renamed`, for inputs whose name at AWS only begins with a capital."""
        return self.renamed({key: key[0].upper() + key[1:] for key in keys})

    def same(self, *keys: str) -> dict[str, Any]:
        """As `renamed`, for inputs that AWS calls the same."""
        return self.renamed({key: key for key in keys})

    def unread(self) -> list[str]:
        """Paths that nobody asked for, those in blocks too."""
        here = [f"{self._path}{key}" for key in self._document if key not in self._read]
        return here + [path for inner in self._inner for path in inner.unread()]

    def _inside(self, document: Any, path: str) -> Given:
        if not isinstance(document, Mapping):
            raise Unread(f"`{path.rstrip('.')}` is {type(document).__name__}, not a block")
        inner = Given(document, path)
        self._inner.append(inner)
        return inner
