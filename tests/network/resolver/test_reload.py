"""Names and tenants come and go by files, beside others who ask all the time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.network.resolver.conftest import Made
from tests.network.resolver.messages import question
from tests.network.resolver.room import Refused, Room, files, gateway

LISTED = question("api.github.com")
WAIT = 20


@pytest.fixture(scope="module")
def busy(make_room: Made) -> Room:
    """Two tenants; the first of them asks on and on in some tests."""
    return make_room(_files(acme=(1, ["api.github.com"]), growing=(2, ["one.example.org"])))


def _files(**tenants: tuple[int, list[str]]) -> dict[str, str]:
    documents: dict[str, dict[str, Any]] = {
        tenant: {"number": number, "allow": [{"host": host} for host in hosts]}
        for tenant, (number, hosts) in tenants.items()
    }
    return files(documents, answers=dict.fromkeys(tenants, 100_000))


def _until(room: Room, number: int, host: str, addresses: list[str] | None) -> None:
    """Waits until that is what the name leads to; None: until nobody answers."""
    deadline = time.monotonic() + WAIT
    while True:
        found = room.ask(number, question(host), seconds=0.5)
        if (found and list(found.addresses)) == addresses:
            return
        assert time.monotonic() < deadline, f"{host}: {found}"


def _change(room: Room, **tenants: tuple[int, list[str]]) -> None:
    for tenant, text in _files(**tenants).items():
        room.do("put", tenant=tenant, text=text)


def test_a_name_is_added_and_taken_away_while_another_tenant_misses_no_answer(busy: Room) -> None:
    busy.do("ask_on", number=1, message=LISTED.hex())
    _change(busy, growing=(2, ["one.example.org", "two.example.org"]))
    _until(busy, 2, "two.example.org", [gateway(2)])
    assert busy.answered(2, question("one.example.org")).addresses == [gateway(2)]
    _change(busy, growing=(2, ["two.example.org"]))
    _until(busy, 2, "one.example.org", [])
    asked = busy.do("asked")
    assert len(asked) > 100
    assert all(asked), f"{asked.count(False)} of {len(asked)} went without an answer"


def test_a_tenant_comes_and_goes(busy: Room) -> None:
    busy.do("ask_on", number=1, message=LISTED.hex())
    _change(busy, late=(3, ["late.example.org"]))
    _until(busy, 3, "late.example.org", [gateway(3)])
    busy.do("remove", tenant="late")
    _until(busy, 3, "late.example.org", None)
    asked = busy.do("asked")
    assert all(asked), f"{asked.count(False)} of {len(asked)} went without an answer"


def test_a_file_that_cannot_be_read_changes_nothing_until_it_can(busy: Room) -> None:
    before = busy.do("figures")
    busy.do("put", tenant="broken", text=".:10014 {\n    allow\n}\n")
    while "coredns_reload_failed_total 1" not in busy.do("figures"):
        time.sleep(0.1)
    assert "coredns_reload_failed_total 0" in before
    assert busy.answered(1, LISTED).addresses == [gateway(1)]
    busy.do("remove", tenant="broken")
    _change(busy, growing=(2, ["three.example.org"]))
    _until(busy, 2, "three.example.org", [gateway(2)])


def test_without_tenants_it_starts_and_takes_the_first(make_room: Made) -> None:
    room = make_room({})
    _change(room, first=(1, ["api.github.com"]))
    _until(room, 1, "api.github.com", [gateway(1)])


WRONG = {
    "two tenants on one port": lambda text: {"one": text, "two": text},
    "an address that is none": lambda text: {"one": text.replace("10.96.1.7", "gateway")},
    "an IPv6 address": lambda text: {"one": text.replace("10.96.1.7", "fd00::1")},
    "a wildcard of everything": lambda text: {"one": text.replace("api.github.com", "*")},
    "a wildcard of a top domain": lambda text: {"one": text.replace("api.github.com", "*.com")},
    "a wildcard in the middle": lambda text: {"one": text.replace("api.", "api.*.")},
    "a budget of nothing": lambda text: {"one": text.replace("one 100000", "one 0")},
    "a forwarder": lambda text: {"one": text.replace("errors", "forward . 1.1.1.1")},
}


@pytest.mark.parametrize("spoil", WRONG.values(), ids=WRONG)
def test_what_is_wrong_does_not_start(make_room: Made, spoil: Any) -> None:
    (text,) = _files(one=(1, ["api.github.com"])).values()
    found = spoil(text)
    assert found != {"one": text}
    with pytest.raises(Refused):
        make_room(found)
