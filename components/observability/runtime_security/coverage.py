"""Which signal of an attack exists under which tier, from where, and which doesn't: the one table.

docs/runtime-security.md, the plan's gaps and the checks of rules are all read from here. An alert
on a signal that a tier lacks would be an alert that can't fire.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from corral.settings.tiers import Tier


class State(StrEnum):
    """How much of a signal there is."""

    EXISTS = "exists"
    PARTIAL = "partial"
    """There is something, and somebody can get around it or has to look for it."""
    MISSING = "missing"


class Source(StrEnum):
    """Who tells."""

    FALCO = "Falco"
    READER = "gVisor's events"
    FLOWS = "flow logs"
    GATEWAY = "gateway and resolver"
    GUEST = "guest metrics"
    KUBELET = "kubelet"
    GUARD = "the agent's guard"
    NONE = "–"


@dataclass(frozen=True, kw_only=True)
class Signal:
    """Something that an attack shows itself by."""

    key: str
    """What detections and rules name it by."""
    title: str


@dataclass(frozen=True)
class Cell:
    """One signal under one tier."""

    state: State
    source: Source
    why: str

    @property
    def exists(self) -> bool:
        """Whether an alert on it can fire."""
        return self.state is not State.MISSING


SIGNALS = (
    Signal(key="shells", title="Programs and shells that are started, and by whom"),
    Signal(key="files", title="Accounts, credentials and /root being opened"),
    Signal(key="connections", title="Connections that are tried, from within"),
    Signal(key="sockets", title="Sockets of Docker, containerd and the kubelet"),
    Signal(key="namespaces", title="Namespaces and mounts being changed"),
    Signal(key="ptrace", title="One process taking hold of another"),
    Signal(key="kernel", title="Kernel modules, BPF and other kernels being loaded"),
    Signal(key="gateway-denials", title="Names and hosts that were asked for and refused"),
    Signal(key="denied-flows", title="Packets that policies dropped"),
    Signal(key="processes", title="How many processes there are"),
    Signal(key="agent-state", title="What the agent says of itself"),
)

_FALCO = {
    "shells": Cell(State.EXISTS, Source.FALCO, "by the program's own name, which it can choose"),
    "files": Cell(
        State.EXISTS,
        Source.FALCO,
        "by the path that was asked for: a symbolic link hides what it leads to",
    ),
    "connections": Cell(
        State.PARTIAL,
        Source.FALCO,
        "a blocking connection that fails has no address there, nor has UDP that is sent without "
        "being connected; what is dropped shows in flow logs",
    ),
    "sockets": Cell(State.EXISTS, Source.FALCO, "by the path of the socket"),
    "namespaces": Cell(State.EXISTS, Source.FALCO, "attempts too"),
    "ptrace": Cell(State.EXISTS, Source.FALCO, "attempts too"),
    "kernel": Cell(State.EXISTS, Source.FALCO, "attempts too"),
}
_READER = {
    "shells": Cell(
        State.EXISTS,
        Source.READER,
        "tool runners are those of all classes of the tier: events don't say the class",
    ),
    "files": Cell(
        State.EXISTS,
        Source.READER,
        "by the path that was asked for: a symbolic link hides what it leads to, and io_uring "
        "opens files unseen",
    ),
    "connections": Cell(
        State.EXISTS, Source.READER, "attempts too; not UDP that is sent without being connected"
    ),
    "sockets": Cell(State.EXISTS, Source.READER, "attempts too; none of them is in a sandbox"),
    "namespaces": Cell(
        State.EXISTS, Source.READER, "attempts too; they are gVisor's own, never the node's"
    ),
    "ptrace": Cell(State.EXISTS, Source.READER, "attempts too; within the sandbox alone"),
    "kernel": Cell(State.EXISTS, Source.READER, "attempts; the node's kernel isn't reached by any"),
}
_OPAQUE = (
    "the node sees the machine and not its processes (kata #13693, falco #1413); kata-agent tells "
    "none of them"
)
_OWNERS = "nobody outside sees in, and that is what the tier is for"
_INSIDE = ("shells", "files", "connections", "sockets", "namespaces", "ptrace", "kernel")

_GATEWAY = Cell(
    State.EXISTS, Source.GATEWAY, "of tenants with an `egress`: others reach no gateway at all"
)
_FLOWS = Cell(
    State.PARTIAL,
    Source.FLOWS,
    "in the node's kernel log; with `network.calico.flow-logs` in Goldmane for an hour; no metric",
)
_BY_OWNER = Cell(
    State.PARTIAL,
    Source.FLOWS,
    "where the sandbox's traffic crosses a node that Calico is on: peer pods' and Nitro Sandboxes' "
    "isn't known to",
)
_GUARD = Cell(State.PARTIAL, Source.GUARD, "of agents that use it; an attacker in it can lie")

COVERAGE: Mapping[Tier, Mapping[str, Cell]] = {
    Tier.CONTAINER: {
        **_FALCO,
        "gateway-denials": _GATEWAY,
        "denied-flows": _FLOWS,
        "processes": Cell(State.EXISTS, Source.KUBELET, "threads of the pod, on the node"),
        "agent-state": _GUARD,
    },
    Tier.GVISOR: {
        **_READER,
        "gateway-denials": _GATEWAY,
        "denied-flows": _FLOWS,
        "processes": Cell(
            State.PARTIAL,
            Source.KUBELET,
            # runsc of August 2026, systrap: 1, 50 and 200 sleeping processes inside were 34, 132
            # and 432 threads on the node.
            "two threads on the node for each process, and the sentry's own beside them; threads "
            "of one process aren't told apart",
        ),
        "agent-state": _GUARD,
    },
    Tier.MICROVM: {
        **{key: Cell(State.MISSING, Source.NONE, _OPAQUE) for key in _INSIDE},
        "gateway-denials": _GATEWAY,
        "denied-flows": _FLOWS,
        "processes": Cell(State.EXISTS, Source.GUEST, "kata_guest_tasks, by kata-monitor"),
        "agent-state": _GUARD,
    },
    Tier.CONFIDENTIAL: {
        **{key: Cell(State.MISSING, Source.NONE, _OWNERS) for key in (*_INSIDE, "processes")},
        "gateway-denials": _GATEWAY,
        "denied-flows": _BY_OWNER,
        "agent-state": _GUARD,
    },
}
"""Every signal under every tier."""


def signals_of(tier: Tier) -> frozenset[str]:
    """Signals that exist under the tier, if only in part: what alerts on its sandboxes may use."""
    return frozenset(key for key, cell in COVERAGE[tier].items() if cell.exists)


def missing(tier: Tier) -> tuple[Signal, ...]:
    """Signals that don't."""
    return tuple(each for each in SIGNALS if not COVERAGE[tier][each.key].exists)


@dataclass(frozen=True, kw_only=True)
class Gap:
    """What nobody sees of one tier's sandboxes, in a stack that has some."""

    tier: Tier
    signals: tuple[str, ...]
    why: str

    def sentence(self) -> str:
        """For people."""
        return f"on tier {self.tier} nobody sees {', '.join(self.signals)}: {self.why}"

    def as_document(self) -> dict[str, object]:
        """For programs."""
        return {"tier": str(self.tier), "signals": list(self.signals), "why": self.why}


def gaps(tiers: Iterable[Tier], *, watched: bool) -> list[Gap]:
    """Of a stack whose tenants use these tiers; `watched` says whether it has observability."""
    found = []
    for tier in sorted(set(tiers), key=lambda each: each.strength):
        within = [key for key in _INSIDE if COVERAGE[tier][key].exists]
        if within and not watched:
            why = "the stack has no `observability`, or has its `runtime-security` switched off"
            found.append(Gap(tier=tier, signals=tuple(within), why=why))
        by_reason: dict[str, list[str]] = {}
        for signal in missing(tier):
            by_reason.setdefault(COVERAGE[tier][signal.key].why, []).append(signal.key)
        found += [Gap(tier=tier, signals=tuple(keys), why=why) for why, keys in by_reason.items()]
    return found
