"""Giving back what a cluster made in the cloud, while its controllers can still do it.

Load balancers, volumes, snapshots and nodes belong to objects of the cluster. Deleted with their
cluster, those objects leave them behind, paid for and in the way of the network's deletion. So they
are deleted first, kind by kind, and waited for.

Nothing is remembered: each look is at what stands there now. Interrupted at any moment, the same
call goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from corral.errors import UserError
from corral.kubernetes import Api, ApiError
from corral.teardown.steps import STEPS, Held, Look, Scope, Step

MINUTE = 60.0

PAUSE = 2.0
"""Seconds between two looks at what is going."""

TELL_EVERY = 10.0
"""Seconds until the same state is told again."""

_CONFLICT = 409


class Stuck(UserError):
    """Something didn't go in time."""


@dataclass(frozen=True, kw_only=True)
class Drained:
    """What came of a drain."""

    gone: dict[str, int]
    """How many objects of each step were there and went."""
    kept: tuple[Held, ...]
    """What stays in the cloud because its object says so: volumes with policy Retain."""


@dataclass(frozen=True, kw_only=True)
class Drain:
    """The drain of one cluster, or of some of its namespaces."""

    api: Api
    scope: Scope
    tell: Callable[[str, str], None]
    """Told what is being done, and how far it is."""
    bound: float = 15 * MINUTE
    """Seconds for each step: a node has to be emptied, a load balancer takes minutes."""
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    steps: Sequence[Step] = field(default=STEPS)

    def pending(self) -> dict[str, int]:
        """How much there is for each step, as of now; nothing is changed."""
        look = Look(api=self.api, scope=self.scope)
        found = {step.name: len(self._waited(step, look)) for step in self.steps}
        return {name: count for name, count in found.items() if count}

    def carry_out(self) -> Drained:
        """Deletes and waits, step by step. Stuck names what didn't go, and what holds it."""
        gone: dict[str, int] = {}
        look = Look(api=self.api, scope=self.scope)
        for step in self.steps:
            count = self._step(step, look)
            if count:
                gone[step.name] = count
        kept = tuple(held for step in self.steps for held in step.keeps(look))
        return Drained(gone=gone, kept=kept)

    def _step(self, step: Step, look: Look) -> int:
        """How many went."""
        begun = told_at = self.clock()
        told = ""
        seen: set[str] = set()
        while True:
            for held in step.deletes(look):
                seen.add(held.uid)
                if not held.going:
                    self._delete(held)
            waiting = self._waited(step, look)
            seen.update(held.uid for held in waiting)
            if not waiting:
                if seen:
                    self.tell(step.name, f"{len(seen)} gone")
                return len(seen)
            now = self.clock()
            if now - begun > self.bound:
                raise Stuck(_stuck(step, waiting, self.bound))
            state = f"{len(waiting)} left of {len(seen)}: {_named(waiting)}"
            if state != told or now - told_at >= TELL_EVERY:
                told, told_at = state, now
                self.tell(step.name, f"{state} ({now - begun:.0f} s)")
            self.pause(PAUSE)

    def _waited(self, step: Step, look: Look) -> list[Held]:
        by_uid = {held.uid: held for held in (*step.deletes(look), *step.awaits(look))}
        return list(by_uid.values())

    def _delete(self, held: Held) -> None:
        try:
            self.api.delete(held.path, uid=held.uid)
        except ApiError as error:
            # Another object has its name by now: the next look sees it.
            if error.status != _CONFLICT:
                raise


def _stuck(step: Step, waiting: Sequence[Held], bound: float) -> str:
    listed = "".join(f"\n  {held.name}{held.why}" for held in waiting)
    return (
        f"{step.name}: after {bound / MINUTE:.0f} minutes these are still there:{listed}\n"
        f"{step.cause} Nothing of the stack itself was deleted. The same command goes on from here "
        "(--drain-minutes gives it longer; --no-drain leaves in the account what they stand for)"
    )


def _named(waiting: Iterable[Held]) -> str:
    names = [held.name for held in waiting]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""  # noqa: PLR2004 - enough to see
    return ", ".join(names[:3]) + more
