"""Judging a custom resource by the schema of its definition, where both come in one plan and the
API server knows neither.

Only what structural schemas of apiextensions.k8s.io/v1 say about shape: types, required and unknown
fields, enumerations, patterns and bounds. Rules in CEL and defaults aren't looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from corral.embedded.engine.paths import text
from corral.embedded.engine.registration import UNKNOWN, Document, Path

Schema = Mapping[str, Any]

_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
_ALWAYS: Final = frozenset({"apiVersion", "kind", "metadata"})


def schema_of(definition: Document, version: str) -> Schema | None:
    """The schema of one version of a CustomResourceDefinition; None where it has none."""
    for entry in definition.get("spec", {}).get("versions") or ():
        if entry.get("name") == version:
            found: Schema | None = (entry.get("schema") or {}).get("openAPIV3Schema")
            return found
    return None


def misfits(document: Document, schema: Schema) -> list[str]:
    """What doesn't fit, one sentence each; no values are quoted."""
    top = {**schema, "properties": {**(schema.get("properties") or {})}}
    for key in _ALWAYS:
        top["properties"].setdefault(key, {"x-kubernetes-preserve-unknown-fields": True})
    return [
        f"{text(path) or 'the object'} {problem}" for path, problem in _misfits(document, top, ())
    ]


def _misfits(value: Any, schema: Schema, path: Path) -> Iterator[tuple[Path, str]]:
    if value is UNKNOWN or (value is None and schema.get("nullable")):
        return
    problem = _problem(value, schema)
    if problem is not None:
        yield path, problem
    elif isinstance(value, dict):
        yield from _misfits_of_map(value, schema, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _misfits(item, schema.get("items") or {}, (*path, index))


def _misfits_of_map(value: Document, schema: Schema, path: Path) -> Iterator[tuple[Path, str]]:
    properties: Mapping[str, Schema] = schema.get("properties") or {}
    others = schema.get("additionalProperties")
    free = schema.get("x-kubernetes-preserve-unknown-fields") or others is True
    for key in schema.get("required") or ():
        if key not in value:
            yield (*path, key), "is required"
    for key, item in value.items():
        if key in properties:
            yield from _misfits(item, properties[key], (*path, key))
        elif isinstance(others, Mapping):
            yield from _misfits(item, others, (*path, key))
        elif properties and not (free or schema.get("x-kubernetes-embedded-resource")):
            # Where a schema names no fields at all, server-side apply drops what it gets.
            yield (*path, key), "is no field of this kind"


def _problem(value: Any, schema: Schema) -> str | None:
    if schema.get("x-kubernetes-int-or-string"):
        fits = _TYPES["integer"](value) or _TYPES["string"](value)
        return None if fits else "must be a number or a string"
    kind = str(schema.get("type"))
    if kind in _TYPES and not _TYPES[kind](value):
        return f"must be of type {kind}"
    if "enum" in schema and value not in schema["enum"]:
        return f"must be one of {', '.join(map(str, schema['enum']))}"
    if isinstance(value, str):
        return _text_problem(value, schema)
    return _size_problem(value, schema)


def _size_problem(value: Any, schema: Schema) -> str | None:
    if isinstance(value, list):
        return _bound_problem(len(value), schema.get("minItems"), schema.get("maxItems"), " items")
    if isinstance(value, int | float):
        return _bound_problem(value, schema.get("minimum"), schema.get("maximum"), "")
    return None


def _text_problem(value: str, schema: Schema) -> str | None:
    pattern = schema.get("pattern")
    if pattern is not None:
        try:
            if not re.search(pattern, value):
                return f"must match {pattern}"
        except re.error:  # Go's patterns are mostly Python's
            return None
    return _bound_problem(
        len(value), schema.get("minLength"), schema.get("maxLength"), " characters"
    )


def _bound_problem(size: float, least: Any, most: Any, unit: str) -> str | None:
    if least is not None and size < least:
        return f"must be at least {least}{unit}"
    if most is not None and size > most:
        return f"must be at most {most}{unit}"
    return None
