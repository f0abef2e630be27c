"""What is cut, and what isn't, when a tenant's list changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden.egress.record import Record, next_record, parse_record

WORDS = st.frozensets(st.sampled_from(["a:443", "b:443", "c:80", "d:8443"]))
ADDRESSES = st.frozensets(st.sampled_from(["10.0.0.1", "10.0.0.2", "fd00::1"]))


@given(first=WORDS, then=WORDS, denied=ADDRESSES, later=ADDRESSES)
def test_a_list_has_another_name_just_when_something_left_it(
    first: frozenset[str],
    then: frozenset[str],
    denied: frozenset[str],
    later: frozenset[str],
) -> None:
    last = Record(generation=7, allowed=first, denied=denied, shortened=3)
    now = next_record(last, allowed=then, denied=later)
    assert now.shortened == (now.generation if first - then else 3)
    assert next_record(now, allowed=then | {"e:1"}, denied=later).shortened == now.shortened


@given(first=WORDS, then=WORDS, denied=ADDRESSES, later=ADDRESSES, generation=st.integers(1, 10**6))
def test_tunnels_are_cut_just_when_something_was_taken_away(
    first: frozenset[str],
    then: frozenset[str],
    denied: frozenset[str],
    later: frozenset[str],
    generation: int,
) -> None:
    last = Record(generation=generation, allowed=first, denied=denied)
    now = next_record(last, allowed=then, denied=later)
    taken_away = bool(first - then) or bool(later - denied)
    assert (now.generation != last.generation) == taken_away
    assert (now.allowed, now.denied) == (then, later)
    assert next_record(now, allowed=then, denied=later) == now, "and then it rests"


def test_the_first_list_is_a_first_generation() -> None:
    assert next_record(Record(), allowed=["a:443"], denied=[]).generation == 1
    assert next_record(Record(), allowed=[], denied=[]).generation == 1


@given(record=st.builds(Record, generation=st.integers(0, 99), allowed=WORDS, denied=ADDRESSES))
def test_a_record_is_read_back_as_it_was_written(record: Record) -> None:
    assert parse_record(record.text()) == record


@pytest.mark.parametrize("text", [None, "", "nothing", "[]", '"x"', '{"generation": "many"}', "3"])
def test_what_cannot_be_read_is_no_record(text: str | None) -> None:
    assert parse_record(text) == Record()
