"""A custom resource judged by its definition's schema, compared with real definitions' rules."""

from __future__ import annotations

from typing import Any

import pytest

from corral.embedded.engine.registration import UNKNOWN
from corral.embedded.engine.schema import misfits, schema_of

SCHEMA = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 1, "maximum": 9},
                "ratio": {"type": "number"},
                "on": {"type": "boolean"},
                "mode": {"type": "string", "enum": ["a", "b"]},
                "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
                "port": {"x-kubernetes-int-or-string": True},
                "tags": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "bare": {"type": "object"},
                "maybe": {"type": "string", "nullable": True},
            },
        }
    },
}


def judged(**spec: Any) -> list[str]:
    document = {
        "apiVersion": "x.dev/v1",
        "kind": "X",
        "metadata": {"name": "x", "labels": {"a": "b"}},
        "spec": {"size": 1, **spec},
    }
    return misfits(document, SCHEMA)


GOOD: list[dict[str, Any]] = [
    {},
    {"ratio": 1},
    {"ratio": 0.5},
    {"port": 80},
    {"port": "http"},
    {"tags": ["a"]},
    {"labels": {"any": "thing"}},
    {"free": {"any": {"thing": 1}}},
    {"maybe": None},
    {"bare": {"dropped": 1}},
    {"size": UNKNOWN},
    {"labels": {"a": UNKNOWN}},
]


@pytest.mark.parametrize("spec", GOOD)
def test_what_fits_passes(spec: dict[str, Any]) -> None:
    assert judged(**spec) == []


BAD: list[tuple[dict[str, Any], str]] = [
    ({"size": "1"}, "spec.size must be of type integer"),
    ({"size": True}, "spec.size must be of type integer"),
    ({"size": 0}, "spec.size must be at least 1"),
    ({"size": 10}, "spec.size must be at most 9"),
    ({"on": "yes"}, "spec.on must be of type boolean"),
    ({"mode": "c"}, "spec.mode must be one of a, b"),
    ({"name": "A"}, "spec.name must match ^[a-z]+$"),
    ({"name": "abcdef"}, "spec.name must be at most 5 characters"),
    ({"port": [1]}, "spec.port must be a number or a string"),
    ({"tags": "a"}, "spec.tags must be of type array"),
    ({"tags": ["a", 1]}, "spec.tags[1] must be of type string"),
    ({"tags": ["a", "b", "c"]}, "spec.tags must be at most 2 items"),
    ({"labels": {"a": 1}}, "spec.labels.a must be of type string"),
    ({"sise": 1}, "spec.sise is no field of this kind"),
]


@pytest.mark.parametrize(("spec", "said"), BAD)
def test_what_does_not_fit_is_named(spec: dict[str, Any], said: str) -> None:
    assert judged(**spec) == [said]


def test_a_required_field_is_missed() -> None:
    document = {"apiVersion": "x.dev/v1", "kind": "X", "metadata": {}, "spec": {}}
    assert misfits(document, SCHEMA) == ["spec.size is required"]


def test_values_are_never_quoted() -> None:
    assert "hunter2" not in str(judged(mode="hunter2", name="hunter2!", size="hunter2"))


def test_each_version_has_its_own_schema() -> None:
    versions = [{"name": "v1", "schema": {"openAPIV3Schema": SCHEMA}}, {"name": "v2"}]
    definition = {"spec": {"versions": versions}}
    assert schema_of(definition, "v1") is SCHEMA
    assert schema_of(definition, "v2") is None
    assert schema_of(definition, "v3") is None
