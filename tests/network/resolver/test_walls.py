"""Each wall is needed: with one taken out of a tenant's file, some attack gets through, or the
resolver doesn't work any more."""

from __future__ import annotations

import pytest

from tests.network.resolver.conftest import Made
from tests.network.resolver.messages import framed, question
from tests.network.resolver.room import SILENCE, Room, files, gateway

LISTED = question("api.github.com")
TENANTS = {
    "acme": {"number": 1, "allow": [{"host": "api.github.com"}]},
    "other": {"number": 2, "allow": [{"host": "only-other.example.org"}]},
}


def _without(line: str, replacement: str = "") -> dict[str, str]:
    found = files(TENANTS, answers={"acme": 10})
    (whole,) = (each for each in found["acme"].splitlines() if each.strip().startswith(line))
    return {**found, "acme": found["acme"].replace(whole, replacement)}


@pytest.fixture(scope="module")
def whole(make_room: Made) -> Room:
    return make_room(files(TENANTS, answers={"acme": 10}))


def _flooded(room: Room) -> int:
    answered: int = room.do("flood", number=1, message=LISTED.hex(), count=500)
    return answered


def test_with_all_walls_the_flood_is_not_answered_the_list_is_and_is_written_down(
    whole: Room,
) -> None:
    assert whole.answered(1, LISTED).addresses == [gateway(1)]
    assert _flooded(whole) < 100
    assert whole.lines(lambda line: line["tenant"] == "acme")


def test_without_the_budget_a_flood_is_answered(make_room: Made) -> None:
    assert _flooded(make_room(_without("budget"))) > 100


def test_without_the_list_nothing_is_answered(make_room: Made) -> None:
    found = make_room(_without("allow")).ask(1, LISTED, seconds=SILENCE)
    assert found is None or not found.addresses


def test_without_the_journal_nothing_is_known_of_it(make_room: Made) -> None:
    room = make_room(_without("journal"))
    room.answered(1, LISTED)
    room.answered(2, LISTED)
    while not room.lines(lambda line: line["tenant"] == "other"):
        pass
    assert not room.lines(lambda line: line["tenant"] == "acme")


def test_without_an_address_of_its_own_a_block_is_reached_by_every_other(make_room: Made) -> None:
    found = _without("bind")
    found["acme"] = found["acme"].replace("errors", "errors\n    bind 0.0.0.0")
    assert make_room(found).do("sockets"), "bound to more than it was told"


def test_without_timeouts_a_connection_stays_as_long_as_it_likes(make_room: Made) -> None:
    text = files(TENANTS, answers={})["acme"]
    start, end = text.index("    timeouts"), text.index("    errors")
    room = make_room({"acme": text[:start] + text[end:]})
    found = room.do("tcp", number=1, stream=framed(LISTED).hex(), seconds=6)
    assert not found["ended"]
