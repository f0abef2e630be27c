"""What is remembered of agents' own words: how each pod is, and how its processes grow.

Nothing that an agent says becomes a label, and nothing of it is believed for longer than three
rounds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from corral_guard.document import Pod as Said
from corral_guard.document import together
from warden.exporter.growth import Growth
from warden.exporter.table import AgentClass

STILL_SECONDS = 10.0
"""Between two looks: a process that is alive has written by then, every two seconds."""

UNKNOWN = "unknown"


class State(NamedTuple):
    """How a pod is, by its agent."""

    phase: str
    """busy, safe, idle or unknown."""
    seconds: float
    """For how long, when it was asked."""
    at: float
    """When it was asked."""


@dataclass(kw_only=True, slots=True)
class _Process:
    sequence: int
    looked: float
    """When its sequence was first seen so."""
    growth: Growth


@dataclass(kw_only=True, slots=True)
class Agent:
    """The agent in one pod."""

    state: State
    processes: dict[str, _Process] = field(default_factory=dict)

    def growth(self) -> float | None:
        """Bytes by which its processes' memory grows in an hour; None before that can be said."""
        found = [
            rise for each in self.processes.values() if (rise := each.growth.per_hour()) is not None
        ]
        return sum(found) if found else None

    def suspect(self, share: float) -> bool:
        """Whether one of them leaks."""
        return any(each.growth.suspect(share) for each in self.processes.values())


class Agents:
    """All that ever answered, by the UID of their pod."""

    def __init__(self, *, fresh: float) -> None:
        self._known: dict[str, Agent] = {}
        self._fresh = fresh

    def heard(self, uid: str, said: Said, of: AgentClass | None, now: float) -> None:
        """A pod's agent said that."""
        agent = self._known.get(uid)
        if agent is None:
            agent = self._known[uid] = Agent(state=State(UNKNOWN, 0.0, now))
        stands_still = False
        processes: dict[str, _Process] = {}
        for each in said.processes:
            one = agent.processes.get(each.instance)
            if one is None:
                window = (of.leak_hours if of else 1.0) * 3600
                growth = Growth(window=window)
                one = _Process(sequence=each.sequence, looked=now, growth=growth)
            elif one.sequence != each.sequence:
                one.sequence, one.looked = each.sequence, now
            elif now - one.looked >= STILL_SECONDS and each.said.phase != "undeclared":
                stands_still = True
            one.growth.put(each.resident, now)
            processes[each.instance] = one
        agent.processes = processes
        all_of_it = together(said)
        unknown = stands_still or all_of_it.phase == "undeclared"
        phase = UNKNOWN if unknown else all_of_it.phase
        agent.state = State(phase, all_of_it.seconds, now)

    def agent(self, uid: str, now: float) -> Agent | None:
        """The pod's, if it answered lately."""
        found = self._known.get(uid)
        return found if found is not None and now - found.state.at <= self._fresh else None

    def keep(self, uids: set[str], now: float) -> None:
        """Forgets pods that are gone, and agents that fell silent."""
        self._known = {
            uid: agent
            for uid, agent in self._known.items()
            if uid in uids and now - agent.state.at <= self._fresh
        }
