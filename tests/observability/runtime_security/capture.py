"""Captures that a real Falco replays: system calls in containers, written as its own format has
them.

Derived from falcosecurity/libs at 48dfd53cd23f (2026-07-22): userspace/libscap/scap_savefile.h for
the file, driver/event_table.c and driver/ppm_events_public.h for events and their numbers. They are
no recordings: no kernel wrote them.
"""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path

CONTAINER = "c0ffee" * 10 + "beef"
"""The container that everything happens in."""

_SECTION, _MACHINE, _PROCESSES, _FILES, _EVENT = 0x0A0D0D0A, 0x201, 0x215, 0x218, 0x216
_INTERFACES, _LARGE_EVENT = 0x219, 0x221
_ASYNC, _CLONE, _EXECVE, _OPENAT = 402, 223, 293, 307
_SOCKET, _CONNECT, _PTRACE = 19, 23, 169
_NEVER = b"\0" * 8
_FIRST = 1000
_AT_FDCWD = -100
_INPROGRESS = -115


def _text(value: str) -> bytes:
    return value.encode() + b"\0"


def _i64(value: int) -> bytes:
    return struct.pack("<q", value)


def _u32(value: int) -> bytes:
    return struct.pack("<I", value)


_SYSCALLS = {
    "unshare": (285, [_i64(0), _u32(1 << 20)]),
    "setns": (241, [_i64(0), _i64(3), _u32(0)]),
    "mount": (257, [_i64(-1), _text("none"), _text("/mnt"), _text("tmpfs"), _u32(0)]),
    "pivot_root": (1, [struct.pack("<H", 137), struct.pack("<H", 155)]),
    "init_module": (411, [_i64(-1), b"", _i64(0), _text("")]),
    "bpf": (369, [_i64(-1), struct.pack("<i", 5)]),
    "process_vm_readv": (421, [_i64(8), _i64(1), b""]),
}
"""Kinds of events, and what each says."""
NEW_USER = 1 << 20
PTRACE = {"PTRACE_TRACEME": 1, "PTRACE_ATTACH": 11}


@dataclass(kw_only=True)
class Capture:
    """Events in the order in which they come."""

    agent_class: str = "worker"
    namespace: str = "agents-acme"
    _blocks: list[bytes] = field(default_factory=list, init=False)
    _time: int = field(default=1_800_000_000_000_000_000, init=False)
    _next: int = field(default=_FIRST, init=False)
    _names: dict[int, tuple[str, int]] = field(default_factory=dict, init=False)
    _descriptors: int = field(default=2, init=False)

    def __post_init__(self) -> None:
        labels = {
            "io.kubernetes.pod.namespace": self.namespace,
            "io.kubernetes.pod.name": "worker-1",
            "io.kubernetes.pod.uid": "1",
        }
        about = {
            "type": 7,
            "id": CONTAINER[:12],
            "full_id": CONTAINER,
            "name": "agent",
            "image": "agent:1",
            "lookup_state": 1,
            "labels": labels,
            "cni_json": "{}",
            "pod_sandbox_id": "0" * 64,
            "pod_sandbox_labels": {**labels, "corral.dev/agent-class": self.agent_class},
        }
        told = _text(json.dumps({"container": about}))
        self._event(1, _ASYNC, [_u32(0), _text("container"), told])

    def start(self, name: str, *, parent: int = 0, exe: str = "", first: bool = False) -> int:
        """A process, forked and started; its number. Without a parent, nobody in the container
        started it; the `first` one has number 1 there."""
        number = self.fork(parent, self._names[parent][0] if parent else "runc", first=first)
        return self.execute(number, name, f"/usr/bin/{exe or name}")

    def fork(self, parent: int, comm: str, *, first: bool = False, flags: int = 0) -> int:
        """A process that was forked, and started no program yet."""
        number, self._next = self._next, self._next + 1
        self._clone(number, parent, comm, 1 if first else number - _FIRST + 2, flags)
        self._names[number] = (comm, parent)
        return number

    def execute(self, number: int, comm: str, exe: str) -> int:
        """Another program in the same process."""
        parent = self._names[number][1]
        self._names[number] = (comm, parent)
        told = [_i64(0), _text(exe), b"", *self._family(number, parent), _text("/workspace")]
        told += [_i64(1024), _NEVER, _NEVER, _u32(1), _u32(1), _u32(0), _text(comm), self._groups()]
        told += [b"", _u32(0), _i64(number), _u32(10001), _u32(0), _NEVER, _NEVER, _NEVER]
        told += [_i64(7), _NEVER, _NEVER, _u32(10001), _text(exe), _i64(number), _u32(10001)]
        self._event(number, _EXECVE, [*told, _text(exe)])
        return number

    def open(self, number: int, path: str, *, result: int = 3, writes: bool = False) -> None:
        """A file opened, or not (a negative result)."""
        told = [_i64(result), _i64(_AT_FDCWD), _text(path), _u32(2 if writes else 1)]
        self._event(number, _OPENAT, [*told, _u32(0), _u32(1), _i64(9)])

    def connect(self, number: int, address: str, port: int) -> None:
        """A connection begun over IPv4."""
        there = socket.inet_aton(address)
        pair = b"\x02" + socket.inet_aton("10.0.0.5") + struct.pack("<H", 40000)
        pair += there + struct.pack("<H", port)
        self._connect(number, 2, pair, b"\x02" + there + struct.pack("<H", port), _INPROGRESS)

    def connect_unix(self, number: int, path: str) -> None:
        """A connection to a socket in the file system."""
        self._connect(number, 1, b"\x01" + _NEVER * 2 + _text(path), b"\x01" + _text(path), 0)

    def syscall(self, number: int, name: str) -> None:
        """One of the calls that no agent's work needs."""
        kind, told = _SYSCALLS[name]
        self._event(number, kind, told)

    def ptrace(self, number: int, request: int) -> None:
        """One process takes hold of another."""
        told = [_i64(0), b"\0" + _NEVER, b"\0" + _NEVER, struct.pack("<H", request), _i64(1)]
        self._event(number, _PTRACE, told)

    def write(self, file: Path) -> Path:
        """The capture as a file."""
        machine = struct.pack("<IQQ128sQQQQ", 2, 2**30, 4194304, b"node", 1, 0, 0, 0)
        section = struct.pack("<IHHQ", 0x1A2B3C4D, 1, 2, 2**64 - 1)
        empty = [_block(_PROCESSES, b""), _block(_FILES, _NEVER), _block(_INTERFACES, b"")]
        parts = [_block(_SECTION, section), _block(_MACHINE, machine), *empty, *self._blocks]
        file.write_bytes(b"".join(parts))
        return file

    def _family(self, number: int, parent: int) -> list[bytes]:
        return [_i64(number), _i64(number), _i64(parent or 1)]

    def _groups(self) -> bytes:
        return _text(f"cpuset=/kubepods.slice/cri-containerd-{CONTAINER}.scope")

    def _clone(self, number: int, parent: int, comm: str, inside: int, flags: int) -> None:
        told = [_i64(0), _text(comm), b"", *self._family(number, parent), _text("/workspace")]
        told += [_i64(1024), _NEVER, _NEVER, _u32(1), _u32(1), _u32(0), _text(comm), self._groups()]
        told += [_u32(flags), _u32(10001), _u32(10001), _i64(inside), _i64(inside), _NEVER]
        self._event(number, _CLONE, told)

    def _connect(self, number: int, family: int, pair: bytes, address: bytes, result: int) -> None:
        self._descriptors += 1
        descriptor = _i64(self._descriptors)
        told = [descriptor, _u32(family), _u32(1), _u32(0), _u32(0)]
        self._event(number, _SOCKET, told)
        self._event(number, _CONNECT, [_i64(result), pair, descriptor, address])

    def _event(self, thread: int, kind: int, told: list[bytes]) -> None:
        self._time += 1000
        large = kind == _ASYNC
        lengths = struct.pack(f"<{len(told)}{'I' if large else 'H'}", *map(len, told))
        body = lengths + b"".join(told)
        head = struct.pack("<QQIHI", self._time, thread, 26 + len(body), kind, len(told))
        block = _LARGE_EVENT if large else _EVENT
        self._blocks.append(_block(block, struct.pack("<H", 0) + head + body))


def _block(kind: int, body: bytes) -> bytes:
    body += b"\0" * (-len(body) % 4)
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)
