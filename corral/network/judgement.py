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

OWN = ("{gateway}", "{resolver}")
"""The tenant's own doors: they answer whatever comes, if by ending the connection."""

REFUSED, OWN_WORDS = 403, "corral:"
"""How the gateway refuses: a 403 of anybody else means that it got there."""
UNREADABLE = (400,)
"""How Envoy refuses what it can't read."""
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
    end = str(seen.get("end", ""))
    told = _WITHOUT_ANSWER.get(end)
    if told is None:
        return _answered(attack, seen, gateway)
    result, why = told
    if end == "reset" and attack.reset_stops:
        result, why = Result.STOPPED, "the connection was reset"
    if end in ("silent", "unreachable") and attack.host in OWN and attack.kind != "connect":
        result, why = Result.UNCLEAR, f"{why}: the wall itself wasn't met"
    words = f": {seen['words']}" if end in ("not-run", "not-opened") and "words" in seen else ""
    return Verdict(result=result, why=why + words)


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
    if seen.get("end") != "answered":
        return Verdict(result=Result.UNCLEAR, why=_told(seen))
    refused = seen.get("status") == REFUSED and OWN_WORDS in str(seen.get("words"))
    return stopped if refused or seen.get("status") in UNREADABLE else through


_WITHOUT_ANSWER = {
    "silent": (Result.STOPPED, "no answer"),
    "closed": (Result.STOPPED, "the connection was ended"),
    "unreachable": (Result.STOPPED, "there is no way there"),
    "reset": (
        Result.UNCLEAR,
        "somebody answered with a reset: perhaps that very place, with nothing listening",
    ),
    "not-opened": (Result.UNCLEAR, "the tunnel that it needs wasn't opened"),
    "not-run": (Result.NOT_RUN, "not tried"),
}


def _told(seen: Seen) -> str:
    if "rcode" in seen:
        address = f" ({seen['address']})" if "address" in seen else ""
        return f"DNS code {seen['rcode']}, {seen['records']} records{address}"
    return str(seen.get("words") or seen.get("end", ""))
