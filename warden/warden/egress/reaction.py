"""How long gateways go on with what was taken away.

The clock starts when this replica learns of it, by the API server's watch, and stops when it hands
a gateway the answer that carries it, which counts once the gateway says in a later question that
it took that very answer. Envoy ends the connections a second later (its drain time).

A gateway asks any replica, each time perhaps another one. So that nothing is counted twice or by
guess, whoever hands an answer over measures it, and nobody else: its name stands in the version,
which gateways repeat. What comes back under another's name is the other's to count. If a gateway
asks the one that handed it over no more within a minute, that one reaction isn't counted.

How long a gateway has been waiting each replica says by what it heard last, and that may be old:
of several replicas' figures the least is true. A gateway that asks nobody is forgotten after a
minute, since pods go; that a living one has stopped asking its own figures tell.

Of a version that this replica never said nobody can tell what it lacks: nothing is said of a
gateway that holds one until it takes another. So nothing is measured over a start of the program.
"""

from __future__ import annotations

import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from warden.egress.parts import LISTENER, SCOPE
from warden.egress.taking import Clock

PARTS = {LISTENER: "doors", SCOPE: "lists"}
"""Answers by which something is taken away."""

SILENT_SECONDS = 60.0
"""After which a gateway that asked nothing is forgotten."""
TAKING_SECONDS = 5.0
"""In which a gateway is believed to be taking what it was just handed."""
MOST_GATEWAYS = 100
"""Whoever comes after these isn't measured: names are for gateways to choose."""
KEPT_VERSIONS = 64

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class _Handed:
    version: str
    at: float
    cuts: int
    """How many of those that are due it carries: the first ones."""


@dataclass(kw_only=True)
class _Holder:
    """One gateway and one kind of answer."""

    held: str
    """The version that it said last."""
    asked: float
    due: list[float]
    """When that was learned which it hasn't taken yet."""
    known: bool
    """Whether that can be told."""
    handed: _Handed | None = None
    refused: bool = False
    """Whether it still held the same after it was handed another."""


@dataclass(kw_only=True)
class Reaction:
    """Of all gateways that ask this replica."""

    observe: Callable[[float], object] = lambda _: None
    """Told the seconds of each reaction."""
    clock: Clock = time.monotonic
    name: str = field(default_factory=lambda: secrets.token_hex(4))
    _said: dict[str, deque[tuple[str, Sequence[float]]]] = field(default_factory=dict)
    _holders: dict[tuple[str, str], _Holder] = field(default_factory=dict)

    def signed(self, version: str) -> str:
        """The version as it is handed over."""
        return f"{version}.{self.name}"

    def changed(self, kind: str, version: str, cuts: Sequence[float]) -> None:
        """Answers of a kind are another from now on, and carry these for the first time."""
        if kind not in PARTS:
            return
        said = self._said.setdefault(kind, deque(maxlen=KEPT_VERSIONS))
        if said and said[-1][0] == version:
            return
        said.append((version, tuple(cuts)))
        for (_, held_kind), holder in self._holders.items():
            if held_kind != kind:
                continue
            if holder.held == version:
                # It lacks nothing: what was taken away was given back. It may have taken it yet.
                holder.due = holder.due[: holder.handed.cuts] if holder.handed else []
            else:
                holder.due = [*holder.due, *cuts]

    def asked(self, gateway: str, kind: str, told: str) -> None:
        """A gateway asks, and tells the version that it took last (none at first). It is handed
        the answer that holds now, unless it has it."""
        if kind not in self._said:
            return
        version, _, by = told.partition(".")
        holder = self._holder(gateway, kind, version)
        if holder is None:
            return
        self._judge(holder, kind, version, mine=by == self.name)
        holder.held, holder.asked = version, self.clock()
        now_said = self._said[kind][-1][0]
        if version == now_said:
            holder.due, holder.handed, holder.refused = [], None, False
        else:
            holder.handed = _Handed(version=now_said, at=holder.asked, cuts=len(holder.due))

    def waiting(self, unsaid: float | None) -> dict[tuple[str, str], float]:
        """Seconds of the oldest that a gateway hasn't taken yet, by gateway and part; 0 where there
        is none. `unsaid` is since when something is to be taken away that no answer carries."""
        now = self.clock()
        self._forget(now)
        return {
            (gateway, PARTS[kind]): max(0.0, now - min(self._waits(holder, unsaid, now)))
            for (gateway, kind), holder in self._holders.items()
            if holder.known
        }

    def _holder(self, gateway: str, kind: str, version: str) -> _Holder | None:
        found = self._holders.get((gateway, kind))
        if found is None and _NAME.fullmatch(gateway):
            self._forget(self.clock())
            if len({name for name, _ in self._holders} | {gateway}) <= MOST_GATEWAYS:
                due = self._since(kind, version)
                found = _Holder(held=version, asked=0.0, due=due or [], known=due is not None)
                self._holders[gateway, kind] = found
        return found

    def _judge(self, holder: _Holder, kind: str, version: str, *, mine: bool) -> None:
        """What the question says of the answer before it."""
        handed = holder.handed
        if handed is not None and mine and version == handed.version:
            for learned in holder.due[: handed.cuts]:
                self.observe(handed.at - learned)
            holder.due = holder.due[handed.cuts :]
            holder.refused, holder.known = False, True
        elif version == holder.held:
            holder.refused |= handed is not None
        else:
            due = self._since(kind, version)
            holder.due, holder.known, holder.refused = due or [], due is not None, False

    def _since(self, kind: str, version: str) -> list[float] | None:
        """What came after that version; None if it isn't known."""
        if not version:
            return []
        found: list[float] = []
        for said, cuts in reversed(self._said[kind]):
            if said == version:
                return found
            found = [*cuts, *found]
        return None

    def _waits(self, holder: _Holder, unsaid: float | None, now: float) -> list[float]:
        handed = holder.handed
        taken = 0
        if handed is not None and not holder.refused and now - handed.at < TAKING_SECONDS:
            taken = handed.cuts
        return [now, *holder.due[taken:], *([] if unsaid is None else [unsaid])]

    def _forget(self, now: float) -> None:
        gone = [key for key, each in self._holders.items() if now - each.asked > SILENT_SECONDS]
        for key in gone:
            del self._holders[key]
