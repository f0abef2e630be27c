"""A tenant's resolver, evaluated: what its Corefile answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

DIRECTIVE = "allow"
"""Our own plugin's: `allow ADDRESS SECONDS NAME…`."""

_ZONE = re.compile(r"(\S+):[0-9]+ \{")
_LABEL = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a question gets."""

    rcode: str
    address: str = ""
    rule: str = ""
    """What on the list decided."""


def answer(corefile: str, name: str, *, record: str = "A") -> Answer:
    """To a question for that name (with or without the root's dot), in any case of letters."""
    asked = name.lower().removesuffix(".")
    for line in _block(corefile, asked):
        words = line.split()
        if words[:1] == [DIRECTIVE]:
            address, names = words[1], words[3:]
            found = next((each for each in names if _fits(each, asked)), None)
            if found is None:
                return Answer(rcode="NXDOMAIN", rule="not on the list")
            held = address if record == "A" else ""
            return Answer(rcode="NOERROR", address=held, rule=found)
    return Answer(rcode="REFUSED", rule="nothing answers")


def _block(corefile: str, asked: str) -> list[str]:
    """Lines of the block whose zone is the longest that the name is in, as CoreDNS chooses it."""
    blocks: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in corefile.splitlines():
        if found := _ZONE.fullmatch(line):
            lines = blocks.setdefault(found[1].strip("."), [])
        lines.append(line)
    zones = [zone for zone in blocks if not zone or f".{asked}".endswith(f".{zone}")]
    return blocks[max(zones, key=len)] if zones else []


def _fits(listed: str, asked: str) -> bool:
    if not listed.startswith("*."):
        return listed == asked
    label, _, parent = asked.partition(".")
    return parent == listed[2:] and _LABEL.fullmatch(label) is not None
