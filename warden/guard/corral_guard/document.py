"""The status: what one process says of itself, and what all of a pod's processes say together.

The contract between agents and whoever suspends or recycles them; docs/guard.md has it in words,
`status.schema.json` for other languages. Readers are outside of the sandbox and the writer is
inside: `parse_process` and `parse_pod` take any bytes, and give numbers within bounds or Refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from corral_guard.activity import PHASES, Phase, Said
from corral_guard.books import MAX_CALLS, MAX_GROWTHS, Figures, Growth

SCHEMA = 1
MAX_PROCESS_BYTES = 16 << 10
MAX_PROCESSES = 16
MAX_POD_BYTES = MAX_PROCESSES * MAX_PROCESS_BYTES + 1024
MAX_INTEGER = 2**53 - 1
"""As far as every JSON reader agrees."""
MAX_SECONDS = 10**9

_INSTANCE = re.compile(r"[0-9a-f]{16}")
_CALL = re.compile(r"[A-Za-z0-9_.:<>-]{1,80}")
_LIMITS = re.compile(r"[A-Za-z0-9_. +-]{1,80}")


class Refused(ValueError):
    """What was read isn't a status; the message names the field and holds nothing of the value."""


class Status(NamedTuple):
    """What one process says. Nothing in it is true because it stands there."""

    instance: str
    """16 hexadecimal digits, new with each process."""
    sequence: int
    """Grows with each document of an instance: one that stands still is a process that doesn't run
    (stopped, or its interpreter is held)."""
    uptime: float
    """Seconds since the guard began in this process."""
    said: Said
    resident: int
    """Bytes."""
    calls: dict[str, Figures]
    growths: tuple[Growth, ...]


class Pod(NamedTuple):
    """What a pod's processes say."""

    processes: tuple[Status, ...]
    more: int
    """Processes that had no room."""


class Together(NamedTuple):
    """Phase of a pod."""

    phase: Phase
    seconds: float
    """For how long: idle and safe since the last process became so, busy since the first."""


def together(pod: Pod) -> Together:
    """Busy if any process that declares phases is, then safe if any is at a safe point, else idle.
    Undeclared where nobody declares any, and where processes were left out: readers take that for
    busy."""
    said = [one.said for one in pod.processes if one.said.phase != "undeclared"]
    if not said or pod.more:
        return Together("undeclared", 0.0)
    working = [one.phase_seconds for one in said if one.phase == "busy"]
    if working:
        return Together("busy", max(working))
    phase: Phase = "safe" if any(one.phase == "safe" for one in said) else "idle"
    return Together(phase, min(one.phase_seconds for one in said))


def process_document(status: Status) -> dict[str, Any]:
    """As it is written."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "instance": status.instance,
        "sequence": status.sequence,
        "uptime": round(status.uptime, 3),
        "resident": status.resident,
    }
    for key, value in status.said._asdict().items():
        document[key] = round(value, 3) if isinstance(value, float) else value
    document["calls"] = {name: one._asdict() for name, one in status.calls.items()}
    document["growths"] = [one._asdict() for one in status.growths]
    return document


def pod_document(pod: Pod) -> dict[str, Any]:
    """As it is served."""
    processes = [process_document(one) for one in pod.processes]
    return {"schema": SCHEMA, "processes": processes, "more": pod.more}


def encode(document: dict[str, Any]) -> bytes:
    """Its bytes."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def parse_process(data: bytes) -> Status:
    """One process's status; Refused for anything else."""
    return _status(_decoded(data, MAX_PROCESS_BYTES))


def parse_pod(data: bytes) -> Pod:
    """A pod's status; Refused for anything else, as a whole."""
    document = _object(_decoded(data, MAX_POD_BYTES), "the document")
    _schema(document)
    listed = _list(document, "processes", MAX_PROCESSES)
    processes = tuple(_status(one) for one in listed)
    if len({one.instance for one in processes}) != len(processes):
        raise Refused("processes: an instance appears twice")
    return Pod(processes=processes, more=_integer(document, "more"))


def _decoded(data: bytes, most: int) -> Any:
    if len(data) > most:
        raise Refused(f"longer than {most} bytes")
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant
        )
    except Refused:
        raise
    # RecursionError: as deep as the bytes allow. ValueError: not UTF-8, not JSON, or a number
    # of more digits than the interpreter reads.
    except (ValueError, RecursionError):
        raise Refused("not JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("a key appears twice")
    return found


def _no_constant(_: str) -> Any:
    raise Refused("a number is not finite")


def _status(value: Any) -> Status:
    document = _object(value, "a process")
    _schema(document)
    phase = document.get("phase")
    if not isinstance(phase, str) or phase not in PHASES:
        raise Refused(f"phase: one of {', '.join(PHASES)}")
    said = Said(
        phase=phase,
        phase_seconds=_seconds(document, "phase_seconds"),
        beats=_integer(document, "beats"),
        beat_seconds=_perhaps(document, "beat_seconds"),
        safe_points=_integer(document, "safe_points"),
        safe_point_seconds=_perhaps(document, "safe_point_seconds"),
        checkpoints_requested=_integer(document, "checkpoints_requested"),
        checkpoints_taken=_integer(document, "checkpoints_taken"),
    )
    return Status(
        instance=_text(document, "instance", _INSTANCE),
        sequence=_integer(document, "sequence"),
        uptime=_seconds(document, "uptime"),
        said=said,
        resident=_integer(document, "resident"),
        calls=_calls(_object(document.get("calls"), "calls")),
        growths=tuple(_growth(one) for one in _list(document, "growths", MAX_GROWTHS)),
    )


def _calls(document: dict[str, Any]) -> dict[str, Figures]:
    if len(document) > MAX_CALLS:
        raise Refused(f"calls: more than {MAX_CALLS}")
    found = {}
    for name, value in document.items():
        if not _CALL.fullmatch(name):
            raise Refused("calls: a name has characters that names don't have, or too many")
        figures = _object(value, "calls")
        found[name] = Figures(*(_integer(figures, key) for key in Figures._fields))
    return found


def _growth(value: Any) -> Growth:
    document = _object(value, "growths")
    return Growth(
        call=_text(document, "call", _CALL),
        bytes=_integer(document, "bytes"),
        start=_integer(document, "start"),
        limits=_text(document, "limits", _LIMITS),
        finished=_flag(document, "finished"),
        alone=_flag(document, "alone"),
    )


def _schema(document: dict[str, Any]) -> None:
    if document.get("schema") != SCHEMA or type(document.get("schema")) is not int:
        raise Refused(f"schema: {SCHEMA} is the one that is known")


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused(f"{what}: an object")
    return value


def _list(document: dict[str, Any], key: str, most: int) -> Sequence[Any]:
    value = document.get(key)
    if not isinstance(value, list) or len(value) > most:
        raise Refused(f"{key}: a list of at most {most}")
    return value


def _integer(document: dict[str, Any], key: str) -> int:
    value = document.get(key)
    # `type`, as True is an int too.
    if type(value) is not int or not 0 <= value <= MAX_INTEGER:
        raise Refused(f"{key}: a whole number from 0 to {MAX_INTEGER}")
    return value


def _seconds(document: dict[str, Any], key: str) -> float:
    value: Any = document.get(key)
    # What is not a number fails every comparison.
    if type(value) in (int, float) and 0 <= value <= MAX_SECONDS:
        return float(value)
    raise Refused(f"{key}: seconds from 0 to {MAX_SECONDS}")


def _perhaps(document: dict[str, Any], key: str) -> float | None:
    return None if document.get(key, 0) is None else _seconds(document, key)


def _flag(document: dict[str, Any], key: str) -> bool:
    value = document.get(key)
    if not isinstance(value, bool):
        raise Refused(f"{key}: true or false")
    return value


def _text(document: dict[str, Any], key: str, shape: re.Pattern[str]) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not shape.fullmatch(value):
        raise Refused(f"{key}: a text of the shape {shape.pattern}")
    return value
