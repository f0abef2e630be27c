"""Property paths as Pulumi writes them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from corral.embedded.engine.paths import EACH, copy, parse, remove, text, values
from corral.embedded.engine.registration import ResourceFailed

PATHS: dict[str, tuple[Any, ...]] = {
    "spec.replicas": ("spec", "replicas"),
    'metadata.annotations["a/b.c"]': ("metadata", "annotations", "a/b.c"),
    "spec.ports[1].port": ("spec", "ports", 1, "port"),
    "a[*].b": ("a", EACH, "b"),
    "*": (EACH,),
    "a.*": ("a", EACH),
    '["a"]["b"]': ("a", "b"),
    r'a["q\"q"]': ("a", 'q"q'),
    "[0].a": (0, "a"),
}


@pytest.mark.parametrize(("written", "path"), PATHS.items())
def test_a_path_is_read(written: str, path: Any) -> None:
    assert parse(written) == path


@pytest.mark.parametrize("written", ["", "a[", "a[]", "a..b", ".a", 'a["b]', "a[b]", "a]"])
def test_what_is_no_path_is_refused_with_examples(written: str) -> None:
    with pytest.raises(ResourceFailed, match=r"no property path.*spec\.replicas"):
        parse(written)


DOCUMENT = {"a": {"x": 1, "y": 2}, "l": [{"n": 1}, {"n": 2}], "z": 0}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.x", [1]),
        ("a.no", []),
        ("l[*].n", [1, 2]),
        ("l[1].n", [2]),
        ("l[7].n", []),
        ("a.*", [1, 2]),
        ("z.x", []),
    ],
)
def test_values_are_found(path: str, found: list[int]) -> None:
    assert values(DOCUMENT, parse(path)) == found


COPIES: dict[str, tuple[Any, Any, str, Any]] = {
    "a value": ({"a": 1}, {"a": 2}, "a", {"a": 1}),
    "one that only the source has": ({"a": 1}, {}, "a", {"a": 1}),
    "one that only the target has": ({}, {"a": 2}, "a", {}),
    "deep in a map": ({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, "a.b", {"a": {"b": 1, "c": 3}}),
    "into a map that isn't there": ({"a": {"b": 1}}, {}, "a.b", {"a": {"b": 1}}),
    "nothing from a map that isn't there": ({}, {"a": {"b": 2}}, "a.b", {"a": {}}),
    "each item": (
        {"l": [{"n": 1}, {"n": 2}]},
        {"l": [{"n": 7, "m": 8}, {"n": 9}]},
        "l[*].n",
        {"l": [{"n": 1, "m": 8}, {"n": 2}]},
    ),
    "an item beyond the end": ({"l": [1, 2]}, {"l": [3]}, "l[1]", {"l": [3]}),
    "a whole map": ({"a": {"b": 1}}, {"a": {"c": 2}}, "a", {"a": {"b": 1}}),
    "each key": ({"a": {"b": 1}}, {"a": {"c": 2}}, "a.*", {"a": {"b": 1}}),
    "where neither has it": ({}, {"x": 1}, "a.b", {"x": 1}),
}


@pytest.mark.parametrize(("source", "target", "path", "result"), COPIES.values(), ids=COPIES.keys())
def test_values_are_copied(source: Any, target: Any, path: str, result: Any) -> None:
    target = deepcopy(target)
    copy(source, target, parse(path))
    assert target == result


REMOVALS = [("a.x", "a"), ("l[0].n", "l"), ("l[0]", "l"), ("a.*", "a"), ("no.no", "a")]


@pytest.mark.parametrize(("path", "key"), REMOVALS)
def test_what_was_removed_is_found_no_more(path: str, key: str) -> None:
    document = deepcopy(DOCUMENT)
    remove(document, parse(path))
    assert not [value for value in values(document, parse(path)) if value is not None]
    assert key in document


def test_a_path_is_shown_as_it_is_written() -> None:
    path = ("metadata", "annotations", "a/b", "list", 0, "x")
    assert text(path) == 'metadata.annotations["a/b"].list[0].x'
