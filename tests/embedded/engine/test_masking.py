"""Nothing secret is shown, and nothing is dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.embedded.engine.masking import hidden, masked, secret_texts
from corral.embedded.engine.registration import UNKNOWN, Document, Path

SECRET = {"$corral": "secret"}


@pytest.mark.parametrize(
    ("document", "secrets", "expected"),
    [
        ({"a": 1}, set(), {"a": 1}),
        ({"a": "x", "b": "y"}, {("a",)}, {"a": SECRET, "b": "y"}),
        ({"a": ["x", "y"]}, {("a", 1)}, {"a": ["x", SECRET]}),
        ({"a": {"b": ["x"]}}, {("a",)}, {"a": SECRET}),
        ({"a": {"b": ["x"]}}, {("a",), ("a", "b", 0)}, {"a": SECRET}),
        ({"a": UNKNOWN, "b": [UNKNOWN]}, {("a",)}, {"a": SECRET, "b": [{"$corral": "unknown"}]}),
        ({"a": "x"}, {("not", "there")}, {"a": "x"}),
        ({"a": "x"}, {("a", "deeper")}, {"a": "x"}),
    ],
)
def test_secrets_and_unknowns_are_replaced_by_marks(
    document: Document, secrets: set[Path], expected: Document
) -> None:
    assert masked(document, secrets) == expected


def test_the_document_itself_is_left_alone() -> None:
    document: Document = {"a": {"b": ["x"]}}
    shown = masked(document, {("a", "b", 0)})
    shown["a"]["b"].append("more")
    assert document == {"a": {"b": ["x"]}}


_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just(UNKNOWN))
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=3), _VALUES))
def test_what_is_shown_has_a_json_form_and_as_many_fields(document: Document) -> None:
    shown = masked(document, ())
    assert json.loads(json.dumps(shown)) == shown
    assert shown.keys() == document.keys()


@given(st.dictionaries(st.text(max_size=3), _VALUES), st.data())
def test_no_text_at_a_secret_path_is_shown(document: Document, data: Any) -> None:
    paths = list(_paths(document, ()))
    secrets = data.draw(st.sets(st.sampled_from(paths))) if paths else set()
    shown = masked(_planted(document, secrets), secrets)
    assert "PLANTED" not in json.dumps(shown)


def _paths(value: Any, at: Path) -> Any:
    if at:
        yield at
    items: Any = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, item in items:
        yield from _paths(item, (*at, key))


def _planted(value: Any, secrets: set[Path], at: Path = ()) -> Any:
    if at in secrets:
        return {"x": ["PLANTED"]}
    if isinstance(value, dict):
        return {key: _planted(item, secrets, (*at, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_planted(item, secrets, (*at, index)) for index, item in enumerate(value)]
    return value


def test_secret_texts_are_taken_out_of_a_text_longest_first() -> None:
    secrets = secret_texts({"a": ["pass", {"b": "password"}], "c": "open"}, {("a",)})
    assert secrets == {"pass", "password"}
    assert hidden("password, pass, open", secrets) == "[secret], [secret], open"


def test_short_secrets_leave_ordinary_text_readable() -> None:
    assert hidden("a b c", {"b", ""}) == "a b c"
