"""What is watched for in sandboxes: one list for Falco and for the reader of gVisor's events.

Coding agents run shells, compilers and package managers all day. A detection *alerts* where nothing
that an agent does for its work should meet it; what work meets now and then only *counts*, and its
rate tells. `tests/observability/runtime_security/recorded` is a day's kinds of work, recorded in
gVisor: no detection that alerts meets any of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from components.observability.runtime_security import programs as known
from components.observability.runtime_security.conditions import (
    AllOf,
    AnyOf,
    Condition,
    Ends,
    Fact,
    In,
    Not,
    OfClass,
    Under,
    Within,
)

COUNT_LEVEL = 0
"""Of what is counted: nothing responds to one of them."""


class Event(StrEnum):
    """What happened, before it is looked at."""

    EXEC = "exec"
    """A program was started."""
    OPEN = "open"
    """A file was opened, or that was tried."""
    CONNECT = "connect"
    """A connection over IP was begun, or tried."""
    UNIX = "unix"
    """A connection to a socket in the file system."""
    SYSCALL = "syscall"
    """One of the system calls that no agent's work needs."""
    PTRACE = "ptrace"
    """One process took hold of another."""


class Priority(StrEnum):
    """Falco's words, as far as we use them."""

    CRITICAL = "CRITICAL"
    WARNING = "WARNING"
    NOTICE = "NOTICE"


@dataclass(frozen=True, kw_only=True)
class Detection:
    """One thing that is watched for."""

    name: str
    signal: str
    """Of the coverage table: what an alert on it needs its tier to have."""
    title: str
    event: Event
    when: Condition
    priority: Priority
    technique: str
    """Of MITRE ATT&CK."""
    tactic: str
    level: int
    """Of the response that it asks for (1 to 3); none where it only counts."""
    calls: tuple[str, ...] = ()
    """Of an event of kind syscall: which ones. Falco looks at a rule for these alone."""
    budget: float
    """How many of one sandbox's in a day are false and still bearable."""

    @property
    def alerts(self) -> bool:
        """Whether one of them is told to somebody."""
        return self.level != COUNT_LEVEL


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What the stack says of its sandboxes."""

    tool_runners: Mapping[str, Sequence[str]]
    """By agent class: programs that start the agent's tools."""
    namespace_makers: Sequence[str] = known.NAMESPACE_MAKERS
    debuggers: Sequence[str] = known.DEBUGGERS
    ports: Sequence[int] = ()
    """TCP and UDP ports at tenants' gateways and resolvers."""
    services: Sequence[str] = ()
    """Networks that tenants' gateways and resolvers have their addresses in. Where the stack
    doesn't know them, a destination is judged by its port alone."""
    runners: Mapping[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        runners = {name: tuple(found) for name, found in self.tool_runners.items()}
        object.__setattr__(self, "runners", runners)


LOOPBACK = Within(("127.0.0.0/8", "::1/128"))


def detections(watch: Watch) -> tuple[Detection, ...]:
    """All of them, for that stack."""
    return (
        *_shells(watch),
        *_accounts(),
        *_credentials(),
        *_connections(watch),
        *_kernel(watch),
    )


def _shells(watch: Watch) -> tuple[Detection, ...]:
    shell = AllOf(
        AnyOf(In("program", known.SHELLS), In("binary", known.SHELLS)),
        Not(Fact("first")),
    )
    usual = AnyOf(
        OfClass("spawner", watch.runners),
        In("spawner", known.SHELLS),
        In("spawner", known.LAUNCHERS),
    )
    return (
        Detection(
            name="shell-outside-tool-runner",
            signal="shells",
            title="A shell that the agent's tool runner didn't start, nor anything it started",
            event=Event.EXEC,
            when=AllOf(shell, Not(OfClass("ancestors", watch.runners))),
            priority=Priority.WARNING,
            technique="T1059.004",
            tactic="execution",
            level=1,
            budget=0.1,
        ),
        Detection(
            name="shell-by-unusual-program",
            signal="shells",
            title="A shell started by what is neither tool runner, shell nor build tool",
            event=Event.EXEC,
            when=AllOf(shell, Not(usual)),
            priority=Priority.NOTICE,
            technique="T1059.004",
            tactic="execution",
            level=COUNT_LEVEL,
            budget=20,
        ),
    )


def _accounts() -> tuple[Detection, ...]:
    secret = In("path", known.SECRET_ACCOUNT_FILES)
    return (
        Detection(
            name="account-file-written",
            signal="files",
            title="A file of accounts or of their rights was opened for writing",
            event=Event.OPEN,
            when=AllOf(
                Fact("writes"),
                AnyOf(In("path", known.ACCOUNT_FILES), Under("path", known.ACCOUNT_FOLDERS)),
            ),
            priority=Priority.CRITICAL,
            technique="T1098",
            tactic="persistence",
            level=2,
            budget=0.02,
        ),
        Detection(
            name="shadow-file-read",
            signal="files",
            title="Somebody tried to open a file of passwords or of the rights to become root",
            event=Event.OPEN,
            when=AllOf(secret, Not(Fact("writes")), Not(In("program", known.AUTHENTICATORS))),
            priority=Priority.WARNING,
            technique="T1003.008",
            tactic="credential_access",
            level=1,
            budget=0.1,
        ),
        Detection(
            name="passwd-file-shown",
            signal="files",
            title="/etc/passwd was opened by a program that shows or sends files",
            event=Event.OPEN,
            when=AllOf(In("path", ("/etc/passwd",)), In("program", known.TEXT_READERS)),
            priority=Priority.NOTICE,
            technique="T1087.001",
            tactic="discovery",
            level=COUNT_LEVEL,
            budget=20,
        ),
        Detection(
            name="root-home-opened",
            signal="files",
            title="Something in /root was opened",
            event=Event.OPEN,
            when=AllOf(Under("path", ("/root",)), Fact("opened")),
            priority=Priority.WARNING,
            technique="T1083",
            tactic="discovery",
            level=1,
            budget=0.1,
        ),
    )


def _credentials() -> tuple[Detection, ...]:
    tokens = Under("path", known.TOKEN_FOLDERS)
    others = AnyOf(
        *(
            AllOf(Ends("path", ends), Not(In("program", owners)))
            for ends, owners in known.CREDENTIALS.items()
        )
    )
    return (
        Detection(
            name="token-read",
            signal="files",
            title="A service account's token or a pod's cloud identity was opened",
            event=Event.OPEN,
            when=AllOf(tokens, Fact("opened")),
            priority=Priority.CRITICAL,
            technique="T1528",
            tactic="credential_access",
            level=2,
            budget=0.02,
        ),
        Detection(
            name="credential-read",
            signal="files",
            title="A file of credentials was opened by a program that it isn't for",
            event=Event.OPEN,
            when=AllOf(others, Fact("opened")),
            priority=Priority.WARNING,
            technique="T1552.001",
            tactic="credential_access",
            level=1,
            budget=0.2,
        ),
        Detection(
            name="credential-sought",
            signal="files",
            title="A file of credentials was looked for where there is none",
            event=Event.OPEN,
            when=AllOf(AnyOf(tokens, others), Not(Fact("opened"))),
            priority=Priority.NOTICE,
            technique="T1552.001",
            tactic="credential_access",
            level=COUNT_LEVEL,
            budget=50,
        ),
    )


def _connections(watch: Watch) -> tuple[Detection, ...]:
    metadata, control = (
        Within(known.METADATA_ADDRESSES),
        In("port", known.CONTROL_PORTS),
    )
    strange: list[Condition] = [Not(In("port", tuple(watch.ports)))]
    if watch.services:
        strange.append(Not(Within(tuple(watch.services))))
    return (
        Detection(
            name="metadata-contacted",
            signal="connections",
            title="A connection to the cloud's metadata service was tried",
            event=Event.CONNECT,
            when=metadata,
            priority=Priority.CRITICAL,
            technique="T1552.005",
            tactic="credential_access",
            level=2,
            budget=0.05,
        ),
        Detection(
            name="control-plane-contacted",
            signal="connections",
            title="A connection to a port of the cluster's or a node's control was tried",
            event=Event.CONNECT,
            when=AllOf(control, Not(LOOPBACK)),
            priority=Priority.WARNING,
            technique="T1613",
            tactic="discovery",
            level=1,
            budget=0.1,
        ),
        Detection(
            name="unusual-destination",
            signal="connections",
            title="A connection to something else than the tenant's gateway and resolver was tried",
            event=Event.CONNECT,
            when=AllOf(AnyOf(*strange), Not(LOOPBACK), Not(metadata), Not(control)),
            priority=Priority.NOTICE,
            technique="T1571",
            tactic="command_and_control",
            level=COUNT_LEVEL,
            budget=100,
        ),
        Detection(
            name="container-socket-contacted",
            signal="sockets",
            title="A socket of Docker, containerd or the kubelet was contacted",
            event=Event.UNIX,
            when=Ends("socket", known.SOCKETS),
            priority=Priority.CRITICAL,
            technique="T1611",
            tactic="privilege_escalation",
            level=2,
            budget=0.02,
        ),
    )


def _kernel(watch: Watch) -> tuple[Detection, ...]:
    # Only runc itself prepares a container without a tool runner above it.
    runc = AllOf(In("program", known.RUNC), Not(OfClass("ancestors", watch.runners)))
    changes = AnyOf(
        In("syscall", known.NAMESPACE_SYSCALLS),
        AllOf(In("syscall", known.CLONES), In("flags", known.NAMESPACE_FLAGS)),
    )
    return (
        Detection(
            name="namespace-changed",
            signal="namespaces",
            title="Namespaces or mounts were changed, or that was tried",
            event=Event.SYSCALL,
            calls=(*known.NAMESPACE_SYSCALLS, *known.CLONES),
            when=AllOf(changes, Not(In("program", tuple(watch.namespace_makers))), Not(runc)),
            priority=Priority.WARNING,
            technique="T1611",
            tactic="privilege_escalation",
            level=1,
            budget=0.2,
        ),
        Detection(
            name="kernel-touched",
            signal="kernel",
            title="A kernel module, a BPF program or another kernel was to be loaded",
            event=Event.SYSCALL,
            calls=known.KERNEL_SYSCALLS,
            when=In("syscall", known.KERNEL_SYSCALLS),
            priority=Priority.CRITICAL,
            technique="T1547.006",
            tactic="persistence",
            level=3,
            budget=0.02,
        ),
        Detection(
            name="process-traced",
            signal="ptrace",
            title="A process took hold of another, and isn't a debugger",
            event=Event.PTRACE,
            when=AllOf(
                In("request", known.PTRACE_REQUESTS),
                Not(In("program", tuple(watch.debuggers))),
            ),
            priority=Priority.WARNING,
            technique="T1055.008",
            tactic="privilege_escalation",
            level=1,
            budget=0.1,
        ),
        Detection(
            name="process-memory-read",
            signal="ptrace",
            title="A process read or wrote another's memory, and isn't a debugger",
            event=Event.SYSCALL,
            calls=known.MEMORY_SYSCALLS,
            when=AllOf(
                In("syscall", known.MEMORY_SYSCALLS),
                Not(In("program", tuple(watch.debuggers))),
            ),
            priority=Priority.WARNING,
            technique="T1003.007",
            tactic="credential_access",
            level=1,
            budget=0.1,
        ),
    )


def signals(found: Sequence[Detection]) -> frozenset[str]:
    """Signals that these detections need."""
    return frozenset(each.signal for each in found)
