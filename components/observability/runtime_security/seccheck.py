"""gVisor's trace session, and what its reader watches for: both from the detections.

runsc connects a sandbox to the reader when it starts it, and never again: a sandbox that starts
while no reader listens, or whose reader restarts, tells nothing from then on. That it starts all
the same is a choice (`ignore_setup_error`): a reader that is down must not stop work. The metric of
connected sandboxes tells how many are blind.

The session doesn't depend on a stack's settings: nodes have it whether a reader runs or not. In one
run on a busy machine (runsc of August 2026, systrap) opening and closing a file took 11 to 17 µs
without a session, 16 to 17 µs with a session that nobody reads, and 37 µs with the reader; starting
a process 3 to 5 ms in all three.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from components.observability.runtime_security import programs as known
from components.observability.runtime_security.detections import Detection, Event
from components.observability.runtime_security.falco_rules import rule_name, tags

FOLDER = "/run/corral/seccheck"
SOCKET = f"{FOLDER}/events.sock"
READER = 65532
"""The account that the reader runs as: the folder is its own."""
SESSION_FILE = "/etc/containerd/runsc-trace.json"
"""On nodes; runsc's flag `pod-init-config` names it."""
RETRIES = 3

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}

SYSCALLS: dict[str, dict[str, int]] = {
    "amd64": {
        "unshare": 272,
        "setns": 308,
        "pivot_root": 155,
        "mount": 165,
        "umount2": 166,
        "open_tree": 428,
        "move_mount": 429,
        "fsopen": 430,
        "fsmount": 432,
        "init_module": 175,
        "finit_module": 313,
        "delete_module": 176,
        "bpf": 321,
        "kexec_load": 246,
        "kexec_file_load": 320,
        "process_vm_readv": 310,
        "process_vm_writev": 311,
    },
    "arm64": {
        "unshare": 97,
        "setns": 268,
        "pivot_root": 41,
        "mount": 40,
        "umount2": 39,
        "open_tree": 428,
        "move_mount": 429,
        "fsopen": 430,
        "fsmount": 432,
        "init_module": 105,
        "finit_module": 273,
        "delete_module": 106,
        "bpf": 280,
        "kexec_load": 104,
        "kexec_file_load": 294,
        "process_vm_readv": 270,
        "process_vm_writev": 271,
    },
}
"""Numbers of the calls that gVisor has no point of its own for (linux, arch/x86/entry/syscalls and
include/uapi/asm-generic/unistd.h)."""

_UNNUMBERED = frozenset({"umount"})
"""Which no 64-bit Linux has."""

CONTEXT = (
    *("thread_id", "group_id", "container_id", "cwd", "process_name"),
    "parent_thread_group_id",
)
_ALWAYS = ("container/start", "sentry/clone", "sentry/execve", "sentry/task_exit")
"""Who started whom: every detection tells it."""
_POINTS = {
    Event.OPEN: ("syscall/openat/exit", "syscall/open/exit", "syscall/creat/exit"),
    Event.CONNECT: ("syscall/connect/enter",),
    Event.UNIX: ("syscall/connect/enter",),
    Event.PTRACE: ("syscall/ptrace/enter",),
}
_WITH_PATH = ("syscall/openat/exit",)


def session(architecture: str) -> dict[str, Any]:
    """`trace_session` for sandboxes on such nodes (`amd64` or `arm64`)."""
    numbers = SYSCALLS[architecture]
    names = [*_ALWAYS]
    for event in Event:
        names += _POINTS.get(event, ())
    names += [f"syscall/sysno/{numbers[name]}/enter" for name in _numbered()]
    return {
        "name": "Default",
        # arm64 has no open and no creat.
        "ignore_missing": True,
        "points": [_point(name) for name in dict.fromkeys(names)],
        "sinks": [
            {
                "name": "remote",
                "config": {"endpoint": SOCKET, "retries": RETRIES},
                "ignore_setup_error": True,
            }
        ],
    }


def session_file(architecture: str) -> str:
    """The file that runsc reads. It stands in user data, where there is little room."""
    return json.dumps({"trace_session": session(architecture)}, separators=(",", ":")) + "\n"


def reader_document(found: Sequence[Detection], classes: frozenset[str]) -> dict[str, Any]:
    """What the reader watches for, on nodes of any machine, among sandboxes of these classes."""
    return {
        "detections": [
            {
                "name": each.name,
                "rule": rule_name(each),
                "title": each.title,
                "event": each.event.value,
                "priority": each.priority.value,
                "level": each.level,
                "tags": tags(each),
                "when": each.when.document(classes),
            }
            for each in found
        ],
        "syscalls": {
            MACHINES[architecture]: {name: numbers[name] for name in _numbered()}
            for architecture, numbers in SYSCALLS.items()
        },
    }


def _numbered() -> list[str]:
    every = (*known.NAMESPACE_SYSCALLS, *known.KERNEL_SYSCALLS, *known.MEMORY_SYSCALLS)
    return [name for name in every if name not in _UNNUMBERED]


def _point(name: str) -> dict[str, Any]:
    optional = {"optional_fields": ["fd_path"]} if name in _WITH_PATH else {}
    return {"name": name, **optional, "context_fields": list(CONTEXT)}
