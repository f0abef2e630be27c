"""DNS over TCP, what is no message at all, and more than a tenant's share."""

from __future__ import annotations

import random
import time

import pytest

from tests.network.resolver import messages as dns
from tests.network.resolver.messages import Answer, framed, question, read, unframed
from tests.network.resolver.room import Room, gateway
from tests.network.resolver.tenants import ACME, FUZZED, HASTY, PATIENT, TENANTS

SECONDS = 8
"""Until the resolver must have ended a connection: several times what it takes."""
LISTED = question("api.github.com")
MESSAGES = 4000


def _tcp(room: Room, stream: bytes, number: int = ACME) -> tuple[list[Answer], bool]:
    found = room.do("tcp", number=number, stream=stream.hex(), seconds=SECONDS)
    return [read(each) for each in unframed(bytes.fromhex(found["found"]))], found["ended"]


def test_questions_by_tcp_are_answered_as_by_udp(room: Room) -> None:
    answers, ended = _tcp(room, framed(LISTED))
    assert [each.addresses for each in answers] == [[gateway(ACME)]]
    assert ended, "a connection that says nothing more doesn't stay"


def test_pipelined_questions_are_answered_each_by_its_own(room: Room) -> None:
    hosts = ["api.github.com", "evil.example", "files.pypi.org", "x.api.github.com"] * 5
    stream = b"".join(framed(question(host, id_=at)) for at, host in enumerate(hosts))
    answers, _ = _tcp(room, stream)
    found = {each.id: each.addresses for each in answers}
    listed = ("api.github.com", "files.pypi.org")
    assert found == {at: [gateway(ACME)] if host in listed else [] for at, host in enumerate(hosts)}


def test_a_connection_ends_after_so_many_questions(room: Room) -> None:
    stream = b"".join(framed(question("evil.example", id_=at)) for at in range(400))
    answers, ended = _tcp(room, stream)
    assert len(answers) < 400
    assert ended


STREAMS = {
    "a zone": framed(question("pypi.org", dns.AXFR)),
    "changes of a zone": framed(question("pypi.org", dns.IXFR)),
    "a zone of everything": framed(question("", dns.AXFR)),
    "a length of nothing": b"\0\0" * 50,
    "less than its length": b"\xff\xff" + LISTED,
    "one byte": b"\0",
    "HTTP": b"GET / HTTP/1.1\r\nhost: api.github.com\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "65,535 bytes": framed(bytes(65535)),
    "a question with 60,000 bytes behind it": framed(question("evil.example", tail=bytes(60000))),
}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_streams_get_nothing_and_end(room: Room, stream: bytes) -> None:
    answers, ended = _tcp(room, stream)
    assert [each.answers for each in answers if each.answers] == []
    assert ended


def test_connections_that_say_nothing_end_and_nobody_waits_for_them(room: Room) -> None:
    assert room.do("idle", number=FUZZED, count=500, seconds=SECONDS) == 500
    assert room.answered(ACME, LISTED).addresses == [gateway(ACME)]


def test_a_tenant_beyond_its_budget_is_not_answered_and_others_are(room: Room) -> None:
    started = time.monotonic()
    answered = room.do("flood", number=HASTY, message=LISTED.hex(), count=5000)
    most = 50 * (time.monotonic() - started + 1)
    assert 50 <= answered <= most, "what the budget holds, and what came in meanwhile"
    for _ in range(100):
        assert room.answered(PATIENT, LISTED).addresses == [gateway(PATIENT)]


def test_beyond_the_budget_connections_end_without_an_answer(room: Room) -> None:
    stream = b"".join(framed(question("api.github.com", id_=at)) for at in range(90))
    last = framed(question("api.github.com", id_=1000))
    found = room.do("tcp", number=HASTY, stream=stream.hex(), later=last.hex(), seconds=SECONDS)
    answers = [read(each) for each in unframed(bytes.fromhex(found["found"]))]
    assert len(answers) < 90
    assert found["ended"]
    assert 1000 not in {each.id for each in answers}, "although the budget has something again"


def test_what_was_dropped_is_written_down_by_number_and_not_line_by_line(room: Room) -> None:
    before = len(room.lines(lambda line: line["tenant"] == "hasty"))
    room.do("flood", number=HASTY, message=LISTED.hex(), count=3000)
    while not room.lines(lambda line: line["event"] == "over-budget"):
        time.sleep(0.05)
    found = room.lines(lambda line: line["event"] == "over-budget")
    assert all(set(line) == {"event", "time", "tenant", "dropped"} for line in found)
    assert {line["tenant"] for line in found} == {"hasty"}
    assert len(room.lines(lambda line: line["tenant"] == "hasty")) - before < 1000
    assert 'coredns_budget_dropped_total{tenant="hasty"}' in room.do("figures")


def _damaged(chance: random.Random) -> bytes:
    """A message that was one."""
    host = chance.choice(["api.github.com", "files.pypi.org", "evil.example", "a.b.c.d.e"])
    tail = chance.choice([None, b"", dns.option(chance.randrange(70), chance.randbytes(9))])
    found = bytearray(question(host, chance.randrange(300), class_=dns.IN, options=tail))
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(2, len(found))
        how = chance.randrange(3)
        if how == 0:
            found[at] = chance.randrange(256)
        elif how == 1:
            found[at:at] = chance.randbytes(chance.randrange(1, 40))
        else:
            del found[at : at + chance.randrange(1, 6)]
        if len(found) < 3:
            break
    return bytes(found)


def test_damaged_messages_do_no_harm(room: Room) -> None:
    chance = random.Random(5)  # noqa: S311 - the same each time
    messages = [_damaged(chance) for _ in range(MESSAGES)]
    said = room.do("fuzz", number=FUZZED, messages=[each.hex() for each in messages])
    for each in said:
        found = bytes.fromhex(each)
        assert len(found) >= 12
        if found[3] & 15 == 0 and found[6:8] != b"\0\0":
            assert read(found).addresses == [gateway(FUZZED)], "an address, and that one"
    assert room.do("alive")
    assert [line for line in room.do("log") if "ecovered" in line or "panic" in line] == []
    for number in (each["number"] for each in TENANTS.values()):
        assert room.ask(number, question("nobody.example")), "each is still answered"
