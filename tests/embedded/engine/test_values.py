"""Values from the SDK's wire form and back to it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import rpc

from corral.embedded.engine.registration import UNKNOWN
from corral.embedded.engine.seam import ASSET, SDK_UNKNOWN, SIGNATURE, UNKNOWN_TEXT, secret
from corral.embedded.engine.values import Asset, Unreadable, decode, encode, path_text

_KEYS = st.text(max_size=4).filter(lambda key: key != SIGNATURE)
_LEAVES = st.one_of(
    st.booleans(),
    st.integers(min_value=-(2**53), max_value=2**53),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(max_size=6),
)
_VALUES = st.recursive(
    _LEAVES | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=15,
)


def struct(value: dict[str, Any]) -> Any:
    return asyncio.run(rpc.serialize_properties(value, {}))


def expected(value: Any, *, nulls: bool) -> Any:
    if isinstance(value, dict):
        shown = {key: expected(item, nulls=nulls) for key, item in value.items()}
        return {key: item for key, item in shown.items() if nulls or item is not None}
    if isinstance(value, list):
        return [expected(item, nulls=nulls) for item in value]
    return value


@given(st.dictionaries(_KEYS, _VALUES.filter(lambda value: value is not None)), st.booleans())
def test_plain_values_come_through_as_they_are(value: dict[str, Any], nulls: bool) -> None:
    decoded = decode(struct(value), nulls=nulls)
    assert decoded.document == expected(value, nulls=nulls)
    assert not decoded.secret_paths and not decoded.unknown_paths


@given(st.dictionaries(_KEYS, _VALUES, max_size=3))
def test_numbers_without_a_fraction_are_ints(value: dict[str, Any]) -> None:
    assert not [
        n
        for n in _numbers(decode(struct(value)).document)
        if float(n).is_integer() and not isinstance(n, int)
    ]


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for item in value.values() for number in _numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in _numbers(item)]
    return [value] if isinstance(value, float | int) else []


def test_a_secret_may_hold_secrets_and_unknowns() -> None:
    wire = struct_pb2.Struct()
    wire.update({"a": secret({"b": [secret("x"), UNKNOWN_TEXT]}), "c": secret(UNKNOWN_TEXT)})
    decoded = decode(wire)
    assert decoded.document == {"a": {"b": ["x", UNKNOWN]}, "c": UNKNOWN}
    assert decoded.secret_paths == {("a",), ("a", "b", 0), ("c",)}
    assert decoded.unknown_paths == {("a", "b", 1), ("c",)}


@pytest.mark.parametrize("kind", ["path", "text", "uri"])
def test_assets_are_kept_where_they_are_allowed(kind: str) -> None:
    wire = struct_pb2.Struct()
    wire.update({"files": [{SIGNATURE: ASSET, kind: "value"}]})
    assert decode(wire, assets=True).document == {"files": [Asset(kind=kind, value="value")]}
    with pytest.raises(Unreadable, match=r"files\[0\]"):
        decode(wire)


def test_what_nobody_knows_is_refused() -> None:
    wire = struct_pb2.Struct()
    wire.update({"a": {SIGNATURE: "something new"}})
    with pytest.raises(Unreadable, match="a holds"):
        decode(wire, assets=True)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("spec", "containers", 0, "image"), "spec.containers[0].image"),
        (("metadata", "annotations", "a.b/c"), 'metadata.annotations["a.b/c"]'),
        (("some-key",), "some-key"),
        ((), ""),
    ],
)
def test_paths_are_written_as_people_write_them(path: tuple[str | int, ...], text: str) -> None:
    assert path_text(path) == text


def test_outputs_are_secret_as_whole_properties_and_unknown_in_place() -> None:
    state = {"data": {"a": "b"}, "list": ["x", UNKNOWN], "open": 1}
    answer = encode(state, secret_keys={"data", "absent"}, unknowns=True)
    assert answer == {"data": secret({"a": "b"}), "list": ["x", SDK_UNKNOWN], "open": 1}
    assert rpc.contains_unknowns(answer["list"])
    assert state["list"] == ["x", UNKNOWN], "the executor's own state is left alone"
