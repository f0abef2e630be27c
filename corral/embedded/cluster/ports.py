"""Ports on the loopback interface: chosen once, kept while they are free."""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping
from pathlib import Path

from corral.embedded.cluster.files import read_object, write_private_json

LOOPBACK = "127.0.0.1"
_LOWEST = 1024  # below it a port is for root
NAMES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "etcd",
    "etcd-peer",
)
"""What listens: a process, or the second door of one (`etcd-peer`)."""


def remembered(path: Path) -> dict[str, int]:
    """The ports of the last start by name; those that make no sense are left out."""
    return {
        name: port
        for name, port in read_object(path).items()
        if name in NAMES and isinstance(port, int) and _LOWEST <= port < 2**16
    }


def choose(path: Path, *, held: Collection[str]) -> dict[str, int]:
    """A port for every name: the remembered one if it is free or `held` by our own running process,
    else any that is free. Writes them down."""
    old = {port: name for name, port in remembered(path).items()}  # each port once
    keep = {name: port for port, name in old.items() if name in held or is_free(port)}
    ports = {**_free_ports([name for name in NAMES if name not in keep]), **keep}
    write_private_json(path, ports)
    return {name: ports[name] for name in NAMES}


def forget(path: Path) -> None:
    """Makes the next choice a new one."""
    path.unlink(missing_ok=True)


def is_free(port: int) -> bool:
    """Whether a server could listen on it now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _free_ports(names: Collection[str]) -> Mapping[str, int]:
    sockets = {name: socket.socket() for name in names}
    try:
        for probe in sockets.values():  # all open together: no port comes twice
            probe.bind((LOOPBACK, 0))
        return {name: probe.getsockname()[1] for name, probe in sockets.items()}
    finally:
        for probe in sockets.values():
            probe.close()
