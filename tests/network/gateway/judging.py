"""What an attack comes to."""

from __future__ import annotations

import re
from typing import Any

from tests.network.gateway.attacks.attack import Attack
from tests.network.laboratory import names
from tests.network.laboratory.outside import Laboratory, proxy, tls

THROUGH = "through"
"""It got what it was after."""
LOOKED_UP = "looked up"
"""The gateway asked DNS for a name that is on no list: a way out for data."""

PATIENT, BRIEF = 8, 1.5
"""Seconds that a step may take: what got through may go on for ever."""

_LISTED = re.compile(
    r"added\.example\.org|"
    + "|".join(
        re.escape(each["host"]).replace(r"\*", "[^.]+")
        for tenant in names.TENANTS.values()
        for each in tenant.get("allow", ())
    )
)


def tried(
    laboratory: Laboratory,
    attack: Attack,
    *,
    without: str = "",
    shift: int = 0,
    logs: bool = True,
) -> Any:
    """What the laboratory saw of it; `logs` where a wall is expected to tell of it."""
    host, port = _door(attack, shift)
    return laboratory.ask(
        "probe",
        host=host,
        port=port,
        steps=attack.steps,
        without=without,
        seconds=PATIENT if logs else BRIEF,
        logs=logs and not (attack.shows or attack.hidden or attack.wall == "end"),
    )


def outcome(attack: Attack, seen: Any) -> str:
    """The wall that stopped it, THROUGH or LOOKED_UP."""
    if [name for name in seen["asked"] if not _LISTED.fullmatch(name.lower())]:
        return LOOKED_UP
    requests = [each for each in seen["reached"] if re.match(r"[A-Za-z0-9]+ \S+ \S+$", each)]
    if attack.hidden:
        gone_through = requests != list(attack.reaches)
    elif attack.reaches:
        gone_through = requests != list(attack.reaches[: len(requests)])
    elif attack.wall == "certificate":
        gone_through = bool(requests)  # connected, and found to be somebody else
    else:
        gone_through = bool(seen["reached"])
    if gone_through or (attack.hidden and attack.hidden in str(seen["told"])):
        return THROUGH
    if attack.shows:
        return attack.wall if attack.shows in str((seen["end"], seen["said"])) else THROUGH
    return seen["wall"] or (attack.wall if attack.hidden or attack.wall == "end" else "")


def _door(attack: Attack, shift: int) -> tuple[str, int]:
    if attack.door == "proxy":
        return "127.0.0.1", proxy(attack.tenant, shift)
    if attack.door == "tls":
        return "127.0.0.1", tls(attack.tenant, shift)
    host, _, port = attack.door.rpartition(":")
    return host, int(port)
