"""When an object says what was asked for, and how differences are shown."""

from __future__ import annotations

from typing import Any

import pytest

from corral.embedded.engine.differences import Hidden, field_changes, holds, overlaid
from corral.embedded.engine.objects import DEPTH, INPUTS
from corral.embedded.engine.registration import UNKNOWN

Pair = tuple[Any, Any]

SAID: dict[str, Pair] = {
    "more than asked for": ({"a": 1, "b": 2}, {"a": 1}),
    "a map in a map": ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}),
    "an item with defaults": ({"a": [{"n": 1, "d": 2}]}, {"a": [{"n": 1}]}),
    "null for nothing": ({}, {"a": None}),
    "null for anything": ({"a": 1}, {"a": None}),
    "no list for an empty one": ({}, {"a": []}),
    "CPU in millicores": ({"limits": {"cpu": "500m"}}, {"limits": {"cpu": "0.5"}}),
    "memory in another unit": ({"limits": {"memory": "1Gi"}}, {"limits": {"memory": "1024Mi"}}),
    "a quantity as a number": ({"hard": {"pods": "3"}}, {"hard": {"pods": 3}}),
    "a quantity in thousands": ({"hard": {"x": "1k"}}, {"hard": {"x": "1000"}}),
    "a size": ({"emptyDir": {"sizeLimit": "1Gi"}}, {"emptyDir": {"sizeLimit": "1024Mi"}}),
}
NOT_SAID: dict[str, Pair] = {
    "another value": ({"a": 1}, {"a": 2}),
    "nothing": ({}, {"a": 1}),
    "false for absent": ({}, {"a": False}),
    "an empty map for nothing": ({}, {"a": {}}),
    "an empty text for nothing": ({}, {"a": ""}),
    "a longer list": ({"a": [1, 2]}, {"a": [1]}),
    "another order": ({"a": [1, 2]}, {"a": [2, 1]}),
    "one for true": ({"a": 1}, {"a": True}),
    "false for zero": ({"a": False}, {"a": 0}),
    "a map for a value": ({"a": {"b": 1}}, {"a": 1}),
    "a value for a map": ({"a": 1}, {"a": {"b": 1}}),
    "a value for a list": ({"a": 1}, {"a": [1]}),
    "another quantity": ({"limits": {"cpu": "500m"}}, {"limits": {"cpu": "0.6"}}),
    "quantities where there are none": ({"data": {"cpu": "500m"}}, {"data": {"cpu": "0.5"}}),
    "words where quantities are": ({"limits": {"cpu": "a"}}, {"limits": {"cpu": "b"}}),
}


@pytest.mark.parametrize(("live", "desired"), SAID.values(), ids=SAID.keys())
def test_an_object_says_what_was_asked_for(live: Any, desired: Any) -> None:
    assert holds({"apiVersion": "v1", **live}, {"apiVersion": "v1", **desired})


@pytest.mark.parametrize(("live", "desired"), NOT_SAID.values(), ids=NOT_SAID.keys())
def test_an_object_does_not_say_what_was_asked_for(live: Any, desired: Any) -> None:
    assert not holds({"apiVersion": "v1", **live}, {"apiVersion": "v1", **desired})


def test_an_empty_list_counts_in_kinds_that_the_api_server_keeps_as_they_are() -> None:
    assert not holds({"apiVersion": "x.dev/v1"}, {"apiVersion": "x.dev/v1", "egress": []})


def shown(before: Any, after: Any, **options: Any) -> list[tuple[str, str, Any, Any]]:
    changes = field_changes(before, after, **options)
    return [(change.path, change.kind, change.before, change.after) for change in changes]


CHANGES: dict[str, tuple[Any, Any, list[tuple[str, str, Any, Any]]]] = {
    "nothing": ({"a": {"b": [1]}}, {"a": {"b": [1]}}, []),
    "a value": ({"a": 1}, {"a": 2}, [("a", "change", 1, 2)]),
    "a type": ({"a": 1}, {"a": True}, [("a", "change", 1, True)]),
    "more": ({}, {"a": {"b": 1}}, [("a.b", "add", None, 1)]),
    "less": ({"a": {"b": 1}}, {}, [("a.b", "remove", 1, None)]),
    "an empty map": ({}, {"a": {}}, [("a", "add", None, {})]),
    "a map for a value": (
        {"a": 1},
        {"a": {"b": 2}},
        [("a", "remove", 1, None), ("a.b", "add", None, 2)],
    ),
    "a value for a map": (
        {"a": {"b": 2}},
        {"a": 1},
        [("a.b", "remove", 2, None), ("a", "add", None, 1)],
    ),
    "an item": ({"a": [1, 2]}, {"a": [1, 3]}, [("a[1]", "change", 2, 3)]),
    "a longer list": ({"a": [1]}, {"a": [1, 2]}, [("a[1]", "add", None, 2)]),
    "a key with dots": ({"a": {"b/c.d": 1}}, {"a": {}}, [('a["b/c.d"]', "remove", 1, None)]),
    "a container among others": (
        {"c": [{"name": "x", "i": 1}, {"name": "y", "i": 1}]},
        {"c": [{"name": "y", "i": 2}, {"name": "x", "i": 1}]},
        [("c[name=y].i", "change", 1, 2)],
    ),
    "a status": ({"status": 1}, {"status": 2}, []),
    "what the server keeps": ({"metadata": {"generation": 1}}, {"metadata": {"uid": "u"}}, []),
    "what the engine keeps": (
        {"metadata": {"annotations": {INPUTS: "a", DEPTH: "1"}}},
        {"metadata": {"annotations": {INPUTS: "b", DEPTH: "2"}}},
        [],
    ),
    "what isn't known": ({"a": 1}, {"a": UNKNOWN}, [("a", "change", 1, Hidden.LATER)]),
}


@pytest.mark.parametrize(("before", "after", "changes"), CHANGES.values(), ids=CHANGES.keys())
def test_differences_are_shown_leaf_by_leaf(before: Any, after: Any, changes: Any) -> None:
    assert shown(before, after) == changes


def pod(value: str | None, *, index: int = 0) -> Any:
    env = [{"name": f"E{n}", "value": "plain"} for n in range(index)]
    env += [] if value is None else [{"name": "KEY", "value": value}]
    return {"spec": {"containers": [{"name": "c", "env": env}]}}


@pytest.mark.parametrize("path", [("spec", "containers", 0, "env", 0, "value"), ("spec",), ()])
def test_a_secret_is_never_shown(path: Any) -> None:
    said = str(shown(pod("OLD"), pod("NEW"), secret_paths=[path]))
    assert "OLD" not in said
    assert "NEW" not in said


def test_a_secret_is_not_shown_wherever_it_stands_in_its_list() -> None:
    path = ("spec", "containers", 0, "env", 0, "value")
    said = str(shown(pod("OLD", index=2), pod("NEW", index=1), secret_paths=[path]))
    assert "OLD" not in said
    assert "NEW" not in said


def test_a_secret_that_goes_is_hidden_where_nobody_knows_any_more_what_was_secret() -> None:
    said = str(shown(pod("OLD"), pod(None), hide_before=True))
    assert "OLD" not in said


def test_what_kubectl_remembers_is_not_shown() -> None:
    notes = {"kubectl.kubernetes.io/last-applied-configuration": "hunter2"}
    assert "hunter2" not in str(shown({"metadata": {"annotations": notes}}, {"metadata": {}}))


def test_an_overlay_keeps_what_was_not_asked_about() -> None:
    live = {"a": {"b": 1, "c": 2}, "l": [{"n": 1, "d": 2}]}
    assert overlaid(live, {"a": {"b": 3}, "l": [{"n": 4}]}) == {
        "a": {"b": 3, "c": 2},
        "l": [{"n": 4, "d": 2}],
    }
