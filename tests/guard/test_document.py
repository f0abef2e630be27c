"""The status: whatever a sandbox sends, a reader gets numbers within bounds or a refusal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as some

import corral_guard
from corral_guard.activity import PHASES, Said
from corral_guard.books import MAX_CALLS, MAX_GROWTHS, Figures, Growth
from corral_guard.document import (
    MAX_INTEGER,
    MAX_POD_BYTES,
    MAX_PROCESS_BYTES,
    MAX_PROCESSES,
    Pod,
    Refused,
    Status,
    encode,
    parse_pod,
    parse_process,
    pod_document,
    process_document,
    together,
)

SCHEMA = json.loads((Path(corral_guard.__file__).parent / "status.schema.json").read_text("utf-8"))
JUDGE = jsonschema.Draft202012Validator(SCHEMA)
PROCESS_JUDGE = jsonschema.Draft202012Validator({**SCHEMA["$defs"]["process"]})

integers = some.integers(0, MAX_INTEGER)
seconds = some.floats(0, 10**9).map(lambda value: round(value, 3))
names = some.from_regex(re.compile(r"[A-Za-z0-9_.:<>-]{1,80}"), fullmatch=True)
saids = some.builds(
    Said,
    phase=some.sampled_from(PHASES),
    phase_seconds=seconds,
    beats=integers,
    beat_seconds=some.none() | seconds,
    safe_points=integers,
    safe_point_seconds=some.none() | seconds,
    checkpoints_requested=integers,
    checkpoints_taken=integers,
)
statuses = some.builds(
    Status,
    instance=some.from_regex(re.compile("[0-9a-f]{16}"), fullmatch=True),
    sequence=integers,
    uptime=seconds,
    said=saids,
    resident=integers,
    calls=some.dictionaries(
        names, some.builds(Figures, integers, integers, integers, integers), max_size=MAX_CALLS
    ),
    growths=some.lists(
        some.builds(
            Growth,
            call=names,
            bytes=integers,
            start=integers,
            limits=some.just("1.0 GiB or 1e-05 of what it began with"),
            finished=some.booleans(),
            alone=some.booleans(),
        ),
        max_size=MAX_GROWTHS,
    ).map(tuple),
)
anything = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=8,
)


def a_status(instance: int = 1, **said: Any) -> Status:
    """One that holds."""
    nothing = Said("idle", 1.5, 0, None, 0, None, 0, 0)
    return Status(
        instance=f"{instance:016x}",
        sequence=1,
        uptime=2.0,
        said=nothing._replace(**said),
        resident=1 << 20,
        calls={"plan": Figures(2, 1, 300, 200)},
        growths=(Growth("plan", 200, 100, "100 B", finished=True, alone=False),),
    )


def valid() -> dict[str, Any]:
    """Its document."""
    return process_document(a_status())


@given(statuses)
def test_what_is_written_is_read_again_and_fits_the_schema_and_the_bound(status: Status) -> None:
    data = encode(process_document(status))
    assert len(data) <= MAX_PROCESS_BYTES
    assert parse_process(data) == status
    PROCESS_JUDGE.validate(json.loads(data))


def test_a_pod_as_full_as_can_be_is_within_its_bound() -> None:
    widest = a_status()._replace(
        sequence=MAX_INTEGER,
        calls={
            f"{number:02}{'x' * 78}": Figures(*[MAX_INTEGER] * 4) for number in range(MAX_CALLS)
        },
        growths=(Growth("x" * 80, MAX_INTEGER, MAX_INTEGER, "x" * 80, finished=False, alone=False),)
        * MAX_GROWTHS,
    )
    processes = tuple(widest._replace(instance=f"{number:016x}") for number in range(MAX_PROCESSES))
    pod = Pod(processes=processes, more=3)
    data = encode(pod_document(pod))
    assert len(data) <= MAX_POD_BYTES
    assert parse_pod(data) == pod
    JUDGE.validate(json.loads(data))


@given(some.binary(max_size=200) | some.text().map(str.encode))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    for parse in (parse_process, parse_pod):
        with pytest.raises(Refused):
            parse(data)


@given(some.sampled_from(sorted(valid())), anything)
def test_parser_and_schema_agree_whatever_stands_in_a_field(key: str, value: Any) -> None:
    document = {**valid(), key: value}
    try:
        data = json.dumps(document).encode()
        as_read = json.loads(data)
    except (ValueError, UnicodeEncodeError):
        return
    fits = "NaN" not in str(data) and "Infinity" not in str(data) and is_valid(as_read)
    try:
        parse_process(data)
        read = True
    except Refused:
        read = False
    # 1.0 is an integer to the schema; the parser is stricter there.
    assert read == fits or (fits and isinstance(value, float))


@given(statuses, some.data())
def test_a_document_cut_or_changed_anywhere_is_refused_or_within_bounds(
    status: Status, data: some.DataObject
) -> None:
    whole = encode(process_document(status))
    at = data.draw(some.integers(0, len(whole) - 1))
    changed = whole[:at] + data.draw(some.binary(max_size=4)) + whole[at + 1 :]
    try:
        got = parse_process(changed)
    except Refused:
        return
    assert is_valid(process_document(got))


def is_valid(document: Any) -> bool:
    """By the schema."""
    return bool(PROCESS_JUDGE.is_valid(document))


def without(key: str) -> Callable[[], bytes]:
    """The valid document without it."""
    return lambda: json.dumps({k: v for k, v in valid().items() if k != key}).encode()


def having(**changed: Any) -> Callable[[], bytes]:
    """The valid document with these."""
    return lambda: json.dumps({**valid(), **changed}).encode()


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "too long": (lambda: encode(valid()) + b" " * MAX_PROCESS_BYTES, "longer than"),
    "deep": (lambda: b"[" * 8000 + b"]" * 8000, "not JSON|an object"),
    "deep objects": (lambda: b'{"a":' * 3000, "not JSON"),
    "digits": (lambda: b'{"schema":' + b"9" * 9000 + b"}", "not JSON|schema"),
    "huge exponent": (
        lambda: encode(valid()).replace(b'"uptime":2.0', b'"uptime":1e999'),
        "uptime",
    ),
    "NaN": (lambda: encode(valid()).replace(b'"uptime":2.0', b'"uptime":NaN'), "not finite"),
    "-Infinity": (
        lambda: encode(valid()).replace(b'"uptime":2.0', b'"uptime":-Infinity'),
        "not finite",
    ),
    "a key twice": (
        lambda: encode(valid()).replace(b'"schema":1', b'"schema":1,"schema":1'),
        "twice",
    ),
    "not UTF-8": (lambda: encode(valid()).replace(b"idle", b"\xff\xfe"), "not JSON"),
    "UTF-16": (lambda: encode(valid()).decode().encode("utf-16"), "not JSON"),
    "a byte order mark": (lambda: b"\xef\xbb\xbf" + encode(valid()), "not JSON"),
    "nothing": (lambda: b"", "not JSON"),
    "null": (lambda: b"null", "an object"),
    "a list": (lambda: b"[]", "an object"),
    "another schema": (having(schema=2), "schema"),
    "schema true": (having(schema=True), "schema"),
    "schema 1.0": (having(schema=1.0), "schema"),
    "negative": (having(resident=-1), "resident"),
    "beyond what readers agree on": (having(resident=2**53), "resident"),
    "true for a number": (having(beats=True), "beats"),
    "text for a number": (having(beats="1"), "beats"),
    "seconds for ever": (having(phase_seconds=1e10), "phase_seconds"),
    "another phase": (having(phase="finished"), "phase"),
    "a list for a phase": (having(phase=["idle"]), "phase"),
    "a label broken out of": (having(calls={'x"} 1\nup 0': valid()["calls"]["plan"]}), "calls"),
    "a path for an instance": (having(instance="../../etc/passwd"), "instance"),
    "a newline after an instance": (having(instance="0" * 16 + "\n"), "instance"),
    "digits of another script": (having(instance="\u0660" * 16), "instance"),
    "calls without end": (
        having(calls={str(n): valid()["calls"]["plan"] for n in range(MAX_CALLS + 1)}),
        "calls",
    ),
    "growths without end": (having(growths=valid()["growths"] * (MAX_GROWTHS + 1)), "growths"),
    "growths as an object": (having(growths={}), "growths"),
    "markup in limits": (
        having(growths=[{**valid()["growths"][0], "limits": "<b>"}]),
        "limits",
    ),
    "a lone surrogate": (
        lambda: encode(valid()).replace(b"100 B", b"\\ud800"),
        "limits",
    ),
    **{f"no {key}": (without(key), key) for key in valid()},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_by_its_field(name: str) -> None:
    make, says = HOSTILE[name]
    with pytest.raises(Refused, match=says) as refused:
        parse_process(make())
    assert len(str(refused.value)) < 200, "nothing of the document is in the message"
    if name in ("too long", "nothing"):
        return  # a pod has more room, and may have no processes
    pod = b'{"schema":1,"more":0,"processes":[' + make() + b"]}"
    with pytest.raises(Refused):
        parse_pod(pod)


def test_keys_of_a_later_minor_version_are_ignored() -> None:
    assert parse_process(having(later={"any": ["thing"]})()) == a_status()


def test_an_instance_twice_or_too_many_processes_are_refused() -> None:
    twice = pod_document(Pod((a_status(), a_status()), 0))
    with pytest.raises(Refused, match="appears twice"):
        parse_pod(encode(twice))
    many = tuple(a_status(number) for number in range(MAX_PROCESSES + 1))
    with pytest.raises(Refused, match="processes"):
        parse_pod(encode(pod_document(Pod(many, 0))))


@pytest.mark.parametrize(
    ("said", "more", "expected"),
    [
        ([], 0, ("undeclared", 0.0)),
        ([("undeclared", 9.0)], 0, ("undeclared", 0.0)),
        ([("idle", 9.0), ("idle", 3.0)], 0, ("idle", 3.0)),
        ([("idle", 9.0), ("undeclared", 3.0)], 0, ("idle", 9.0)),
        ([("idle", 9.0), ("safe", 30.0)], 0, ("safe", 9.0)),
        ([("idle", 9.0), ("safe", 3.0), ("busy", 5.0), ("busy", 7.0)], 0, ("busy", 7.0)),
        ([("idle", 9.0)], 1, ("undeclared", 0.0)),
    ],
)
def test_a_pod_is_what_its_processes_are_together(
    said: list[tuple[Any, float]], more: int, expected: tuple[str, float]
) -> None:
    processes = tuple(
        a_status(number, phase=phase, phase_seconds=since)
        for number, (phase, since) in enumerate(said)
    )
    assert together(Pod(processes, more)) == expected
