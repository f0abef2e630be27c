"""One resolver for all attacks; a test that changes it has its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.network import programs
from tests.network.namespace import NamespaceAbsent, in_a_namespace
from tests.network.resolver.room import Room, files
from tests.network.resolver.tenants import ANSWERS, TENANTS

Made = Callable[[dict[str, str]], Room]


@pytest.fixture(scope="session")
def resolver_program() -> Path:
    try:
        in_a_namespace()
    except NamespaceAbsent as absent:
        pytest.skip(str(absent))
    return programs.resolver()


@pytest.fixture(scope="session")
def make_room(resolver_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Starts a resolver with these files."""
    rooms = []

    def make(found: dict[str, str]) -> Room:
        rooms.append(Room(tmp_path_factory.mktemp("resolver"), resolver_program))
        rooms[-1].do("start", files=found)
        return rooms[-1]

    yield make
    for room in rooms:
        room.stop()


@pytest.fixture(scope="session")
def room(make_room: Made) -> Room:
    return make_room(files(TENANTS, answers=ANSWERS))
