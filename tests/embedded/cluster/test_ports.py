"""Ports are kept while they can be, and never shared."""

from __future__ import annotations

import socket
from pathlib import Path

import orjson
import pytest

from corral.embedded.cluster.ports import NAMES, choose, forget, remembered


def test_the_same_ports_are_chosen_again(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = choose(file, held=())
    assert set(first) == set(NAMES)
    assert len(set(first.values())) == len(NAMES)
    assert choose(file, held=()) == first


def test_a_taken_port_is_replaced_unless_we_hold_it_ourselves(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = choose(file, held=())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", first["etcd"]))
        listener.listen()
        assert choose(file, held=("etcd",)) == first
        second = choose(file, held=())
    assert {name for name in NAMES if second[name] != first[name]} == {"etcd"}


def test_forgotten_ports_are_chosen_anew(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    choose(file, held=())
    forget(file)
    assert remembered(file) == {}
    forget(file)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1, 2]",
        b"null",
        b'{"etcd": "2379"}',
        b'{"etcd": 80}',
        b'{"etcd": 70000}',
        b'{"etcd": true}',
        b'{"somebody": 4000}',
        b"\xff\xfe",
    ],
)
def test_senseless_notes_are_ignored(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "ports.json"
    file.write_bytes(content)
    assert remembered(file) == {}
    assert set(choose(file, held=())) == set(NAMES)


def test_two_names_never_get_one_port(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    file.write_bytes(orjson.dumps(dict.fromkeys(NAMES, free)))
    assert len(set(choose(file, held=()).values())) == len(NAMES)
