"""Reading Kubernetes documents: plain JSON in which any field may be missing.

A document under judgement may be anybody's: nothing here raises for a field of the wrong type,
it reads as missing (and what must be there is then reported as unset).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]

CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")


def at(document: object, *path: str) -> Any:
    """The value at a path of keys; None where a key is missing or a parent isn't a map."""
    value: Any = document
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def entries(document: object, *path: str) -> list[Document]:
    """The maps in the list at a path; empty where there is no list."""
    value = at(document, *path)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def texts(document: object, *path: str) -> list[str]:
    """The strings in the list at a path; empty where there is no list."""
    value = at(document, *path)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def pairs(document: object, *path: str) -> dict[str, Any]:
    """The map at a path; empty where there is none."""
    value = at(document, *path)
    return dict(value) if isinstance(value, Mapping) else {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """One container of a pod, of whichever kind, and the path that a message names it by."""

    where: str
    body: Document

    @property
    def sidecar(self) -> bool:
        """Whether it is an init container that keeps running."""
        return self.where.startswith("spec.initContainers") and (
            self.body.get("restartPolicy") == "Always"
        )


def containers(pod: Document, *lists: str) -> Iterator[Container]:
    """The containers in the named lists of a pod, in order; in all three when none is named."""
    for kind in lists or CONTAINER_LISTS:
        for body in entries(pod, "spec", kind):
            yield Container(where=f"spec.{kind}[{body.get('name', '')}]", body=body)
