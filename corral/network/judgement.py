"""What came of an attack, judged; and what shows that the walls were there to be met at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from corral.network.attacks import UNLISTED, A, Attack, Kind

Seen = Mapping[str, Any]

NODE = "node"
"""A place that only the pod knows."""

FIRST_REFUSAL = 400
OPENED = 200


class Result(StrEnum):
    """Of one attack."""

    STOPPED = "stopped"
    THROUGH = "THROUGH"
    UNCLEAR = "unclear"
    NOT_RUN = "not run"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """With the words for people."""

    result: Result
    why: str


@dataclass(frozen=True, kw_only=True)
class Control:
    """Something that must work: where nothing answers, every attack fails, and proves nothing."""

    name: str
    kind: Kind
    host: str
    port: int
    wanted: Mapping[str, object]
    """What must be seen."""
    more: Mapping[str, Any] = field(default_factory=dict)


def controls() -> Iterator[Control]:
    """All of them; those of things that a tenant's list doesn't have aren't run."""
    unlisted = f"CONNECT {UNLISTED}:443 HTTP/1.1\r\nHost: {UNLISTED}:443\r\n\r\n"
    yield Control(
        name="the resolver answers",
        kind="query",
        host="{resolver}",
        port=53,
        wanted={"end": "answered", "rcode": 3},
        more={"name": UNLISTED, "record": A},
    )
    yield Control(
        name="the gateway refuses in its own words",
        kind="talk",
        host="{gateway}",
        port=3128,
        wanted={"end": "answered", "status": 403},
        more={"send": unlisted},
    )
    yield Control(
        name="a listed name leads to the gateway",
        kind="query",
        host="{resolver}",
        port=53,
        wanted={"end": "answered", "rcode": 0, "address": "{gateway}"},
        more={"name": "{listed}", "record": A},
    )
    yield Control(
        name="a tunnel to a listed name is opened",
        kind="talk",
        host="{gateway}",
        port=3128,
        wanted={"end": "answered", "status": OPENED},
        more={"send": "CONNECT {listed}:443 HTTP/1.1\r\nHost: {listed}:443\r\n\r\n"},
    )


def prepared(
    each: Attack | Control, values: Mapping[str, str], identifier: str
) -> tuple[dict[str, Any], Sequence[str]]:
    """What the pod is told, and the words that there is nothing for: with any, it isn't run."""
    missing: list[str] = []

    def filled(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        for word in re.findall(r"\{(\w+)\}", value):
            if word != NODE and not values.get(word):
                missing.append(word)
        return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), value)

    told = {"id": identifier, "kind": each.kind, "host": filled(each.host)}
    port = filled(each.port)
    told["port"] = int(port) if str(port).isdigit() else 0
    told.update({key: filled(value) for key, value in each.more.items()})
    return told, tuple(dict.fromkeys(missing))


def as_wanted(control: Control, seen: Seen, values: Mapping[str, str]) -> bool:
    """Whether a control saw what it must."""
    return all(
        seen.get(key) == (values.get(value.strip("{}"), value) if isinstance(value, str) else value)
        for key, value in control.wanted.items()
    )


def judge(attack: Attack, seen: Seen, *, gateway: str = "") -> Verdict:
    """Of what the pod saw. Whatever isn't known to be stopped isn't said to be."""
    end = seen.get("end", "")
    if end == "not-run":
        return Verdict(result=Result.NOT_RUN, why=str(seen.get("words", "")))
    if end in ("silent", "closed", "unreachable"):
        return Verdict(result=Result.STOPPED, why=_WORDS[end])
    if end == "reset":
        if attack.reset_stops:
            return Verdict(result=Result.STOPPED, why="the connection was reset")
        why = "somebody answered with a reset: perhaps that very place, with nothing listening"
        return Verdict(result=Result.UNCLEAR, why=why)
    if end == "not-opened":
        why = f"the tunnel that it needs wasn't opened: {seen.get('words', '')}"
        return Verdict(result=Result.UNCLEAR, why=why)
    return _answered(attack, seen, gateway)


def _answered(attack: Attack, seen: Seen, gateway: str) -> Verdict:
    through = Verdict(result=Result.THROUGH, why=_told(seen))
    stopped = Verdict(result=Result.STOPPED, why=_told(seen))
    if attack.through == "any-answer":
        return through
    if attack.through in ("records", "elsewhere"):
        if "rcode" not in seen:
            return Verdict(result=Result.UNCLEAR, why=_told(seen))
        if attack.through == "elsewhere":
            return stopped if seen.get("address") == gateway else through
        return through if seen["records"] else stopped
    if seen["end"] == "answered-tls":
        return Verdict(result=Result.UNCLEAR, why=_told(seen))
    return stopped if seen.get("status", 0) >= FIRST_REFUSAL else through


_WORDS = {
    "silent": "no answer",
    "closed": "the connection was ended",
    "unreachable": "there is no way there",
}


def _told(seen: Seen) -> str:
    if "rcode" in seen:
        address = f" ({seen['address']})" if "address" in seen else ""
        return f"DNS code {seen['rcode']}, {seen['records']} records{address}"
    return str(seen.get("words") or seen.get("end", ""))
