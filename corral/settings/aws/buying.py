"""How nodes are bought, and the ways that are refused because they can't be undone."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from corral.settings.problems import NotAllowedError, one_of, plain

WAYS = ("on-demand", "spot", "reserved")

_BLOCKS = (
    "capacity blocks are for GPU and Trainium machines, which no pool of agents has; they are paid "
    "in full in advance, end on a fixed day, when their instances are terminated, and can't be "
    "cancelled: destroy would only forget them"
)
_PLANS = (
    "a commitment of one or three years that can't be given back isn't bought by a command that "
    "is run again and again"
)
_REFUSED = {
    "capacity-block": (_BLOCKS, "set capacity: reserved, which can be given up at any time"),
    "savings-plan": (
        _PLANS,
        "set capacity: on-demand or reserved, and buy the plan in AWS' billing",
    ),
    "reserved-instance": (
        _PLANS,
        "set capacity: on-demand or reserved, and buy the instances' discount in AWS' billing",
    ),
    "dedicated-host": (
        "hosts are allocated one by one and keep their price when empty; metal machines are whole "
        "hosts already",
        "set machines: metal",
    ),
}
"""What people know from EC2's price list: why it is no way to buy a pool, and what to do."""


def _possible(value: object) -> object:
    word = plain(value).removesuffix("s") if isinstance(value, str) else ""
    if word in _REFUSED:
        why, fix = _REFUSED[word]
        raise NotAllowedError(rule=f"one of {', '.join(WAYS)}: {why}", fix=fix)
    return value


Capacity = Annotated[
    Literal["on-demand", "spot", "reserved"], BeforeValidator(_possible), one_of(WAYS)
]
"""How the nodes of a pool are bought."""
