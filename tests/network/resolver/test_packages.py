"""A tenant with a package mirror: its names beside those of its list, and one budget for both."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.network.resolver.conftest import Made
from tests.network.resolver.messages import NXDOMAIN, TXT, question, read
from tests.network.resolver.room import Room, files, gateway, mirror

ANSWERS, QUESTIONS = 200, 2000
LISTED, MIRRORED = question("api.github.com"), question("pypi.packages.internal")
TENANTS: dict[str, dict[str, Any]] = {
    "acme": {
        "number": 1,
        "allow": [{"host": "api.github.com"}],
        "packages": {"registries": ["pypi"]},
    },
    "other": {"number": 2, "allow": [{"host": "api.github.com"}]},
}


@pytest.fixture(scope="module")
def room(make_room: Made) -> Room:
    return make_room(files(TENANTS, answers={"acme": ANSWERS}))


def test_mirrors_lead_to_themselves_and_lists_to_the_gateway(room: Room) -> None:
    assert room.answered(1, MIRRORED).addresses == [mirror(1)]
    assert room.answered(1, LISTED).addresses == [gateway(1)]


@pytest.mark.parametrize(
    ("number", "host"),
    [
        (1, "npm.packages.internal"),
        (1, "packages.internal"),
        (1, "x.pypi.packages.internal"),
        (1, "pypi.packages.internal.example.org"),
        (1, "pypi.org"),
        (2, "pypi.packages.internal"),
    ],
)
def test_nothing_else_is_there(room: Room, number: int, host: str) -> None:
    found = room.answered(number, question(host))
    assert (found.rcode, found.addresses) == (NXDOMAIN, [])


def test_a_mirror_s_name_carries_nothing_but_its_address(room: Room) -> None:
    found = room.ask(1, question("pypi.packages.internal", TXT))
    assert found is None or not found.answers


def test_what_is_asked_of_it_is_written_down_as_its_tenant_s(room: Room) -> None:
    name = "nobody.packages.internal"
    room.answered(1, question(name))
    while not (found := room.lines(lambda line: name in str(line))):
        pass
    assert {line["tenant"] for line in found} == {"acme"}


def test_both_are_answered_from_one_budget(room: Room) -> None:
    """Two would be twice as much from the first moment on."""
    started = time.monotonic()
    messages = [LISTED.hex(), MIRRORED.hex()] * (QUESTIONS // 2)
    found = room.do("fuzz", number=1, messages=messages)
    seconds = time.monotonic() - started
    assert len(found) <= ANSWERS * (1 + seconds)
    addresses = {address for each in found for address in read(bytes.fromhex(each)).addresses}
    assert addresses == {gateway(1), mirror(1)}, "or only one was asked"
    while not room.lines(lambda line: line["event"] == "over-budget"):
        pass  # written down once a second


def test_and_another_tenant_has_its_own(room: Room) -> None:
    room.do("fuzz", number=1, messages=[MIRRORED.hex()] * QUESTIONS)
    assert room.answered(2, LISTED).addresses == [gateway(2)]
