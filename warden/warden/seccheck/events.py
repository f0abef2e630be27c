"""What a datagram says, and the fields that conditions are about."""

from __future__ import annotations

import posixpath
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from warden.seccheck.wire import Kind, MalformedError, Message, Value, fields, signed

LONGEST_TEXT = 4096
"""Characters of a path, a name or an argument; the rest is cut off."""
LONGEST_ADDRESS = 128
_WRITE_FLAGS = 0o1 | 0o2 | 0o1000
"""O_WRONLY, O_RDWR, O_TRUNC: what Falco means by opened for writing."""
_NAMESPACES = {
    0x00020000: "CLONE_NEWNS",
    0x02000000: "CLONE_NEWCGROUP",
    0x04000000: "CLONE_NEWUTS",
    0x08000000: "CLONE_NEWIPC",
    0x10000000: "CLONE_NEWUSER",
    0x20000000: "CLONE_NEWPID",
    0x40000000: "CLONE_NEWNET",
}
_PTRACE = {
    0: "PTRACE_TRACEME",
    4: "PTRACE_POKETEXT",
    5: "PTRACE_POKEDATA",
    13: "PTRACE_SETREGS",
    16: "PTRACE_ATTACH",
    0x4206: "PTRACE_SEIZE",
}
_SHORTEST_IP = 8


@dataclass(kw_only=True, slots=True)
class Happened:
    """One event. `about` holds the fields of conditions that this kind of event has."""

    kind: int
    container: str
    group: int
    """The thread group (process) in the sandbox's own count."""
    thread: int
    """The thread of it; the first one has the process' number."""
    parent: int
    """Its parent's; 0 where that isn't in the sandbox."""
    name: str
    """What the process calls itself: it may say anything."""
    created: int = 0
    """The thread group that a clone made."""
    event: str = ""
    about: dict[str, Any] = field(default_factory=dict)


def happened(message: Message, syscalls: Mapping[int, str]) -> Happened | None:
    """The event in a datagram; None for kinds that nobody asked for. `syscalls` names the numbers
    of system calls that are watched for on this machine."""
    reader = _READERS.get(message.kind)
    if reader is None:
        return None
    found: dict[int, list[Value]] = {}
    for number, value in fields(message.payload):
        # Of an exec, the environment holds what agents know: it is looked at by nobody.
        if not (message.kind == Kind.EXEC and number == _ENVIRONMENT):
            found.setdefault(number, []).append(value)
    context = dict(fields(_bytes(found, 1)))
    made = Happened(
        kind=message.kind,
        container=_text(context.get(6, b"")),
        group=_number(context.get(4, 0)),
        thread=_number(context.get(2, 0)),
        parent=_number(context.get(10, 0)),
        name=_text(context.get(9, b"")),
    )
    reader(made, found, _text(context.get(8, b"")), syscalls)
    return made


_ENVIRONMENT = 4
Found = dict[int, list[Value]]
Reader = Callable[["Happened", Found, str, Mapping[int, str]], None]


def _start(made: Happened, found: Found, _cwd: str, _: Mapping[int, str]) -> None:
    made.container = _text(_bytes(found, 2)) or made.container
    made.about["program"] = posixpath.basename(_text(_bytes(found, 4)))


def _clone(made: Happened, found: Found, _cwd: str, _: Mapping[int, str]) -> None:
    made.event, made.created = "syscall", _int(found, 4)
    bits = _int(found, 6)
    made.about["syscall"] = "clone"
    made.about["flags"] = tuple(name for bit, name in _NAMESPACES.items() if bits & bit)


def _exec(made: Happened, found: Found, _cwd: str, _: Mapping[int, str]) -> None:
    made.event = "exec"
    binary = posixpath.basename(_text(_bytes(found, 2)))
    # Not its first argument: that is whatever the caller likes.
    called = posixpath.basename(_text(_bytes(found, 17)))
    made.about |= {"binary": binary, "program": called or binary}


def _exit(_made: Happened, _found: Found, _cwd: str, _: Mapping[int, str]) -> None:
    """That it ended is all there is to know."""


def _open(made: Happened, found: Found, cwd: str, _: Mapping[int, str]) -> None:
    made.event = "open"
    path = _text(_bytes(found, 6))
    if path:
        folder = _text(_bytes(found, 5)) or cwd
        path = posixpath.normpath(posixpath.join(folder or "/", path))
    # Where POSIX leaves two slashes be, Linux means one.
    path = f"/{path.lstrip('/')}" if path.startswith("/") else path
    result = dict(fields(_bytes(found, 2)))
    made.about |= {
        "path": path,
        "opened": not _number(result.get(2, 0)),
        "writes": bool(_int(found, 7) & _WRITE_FLAGS),
    }


def _connect(made: Happened, found: Found, _cwd: str, _: Mapping[int, str]) -> None:
    address = _bytes(found, 6)[:LONGEST_ADDRESS]
    if len(address) < 2:  # noqa: PLR2004 - the family alone
        return
    (family,) = struct.unpack_from("=H", address)
    if family == socket.AF_UNIX:
        made.event = "unix"
        made.about["socket"] = address[2:].lstrip(b"\0").split(b"\0")[0].decode(errors="replace")
    elif family in (socket.AF_INET, socket.AF_INET6) and len(address) >= _SHORTEST_IP:
        made.event = "connect"
        made.about["port"] = int.from_bytes(address[2:4], "big")
        raw = address[4:8] if family == socket.AF_INET else address[8:24].ljust(16, b"\0")
        made.about["address"] = socket.inet_ntop(family, raw)


def _raw(made: Happened, found: Found, _cwd: str, syscalls: Mapping[int, str]) -> None:
    made.event = "syscall"
    made.about["syscall"] = syscalls.get(_int(found, 4), "")


def _ptrace(made: Happened, found: Found, _cwd: str, _: Mapping[int, str]) -> None:
    made.event = "ptrace"
    request = signed(_int(found, 4))
    made.about["request"] = _PTRACE.get(request, str(request))


_READERS: dict[int, Reader] = {
    Kind.CONTAINER_START: _start,
    Kind.CLONE: _clone,
    Kind.EXEC: _exec,
    Kind.TASK_EXIT: _exit,
    Kind.RAW_SYSCALL: _raw,
    Kind.OPEN: _open,
    Kind.CONNECT: _connect,
    Kind.PTRACE: _ptrace,
}


def _bytes(found: Found, number: int) -> bytes:
    value = found.get(number, [b""])[0]
    if not isinstance(value, bytes):
        raise MalformedError("kind of a field")
    return value


def _int(found: Found, number: int) -> int:
    return _number(found.get(number, [0])[-1])


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise MalformedError("kind of a field")
    return value


def _text(value: Value) -> str:
    if not isinstance(value, bytes):
        raise MalformedError("kind of a field")
    return value[:LONGEST_TEXT].decode(errors="replace")
