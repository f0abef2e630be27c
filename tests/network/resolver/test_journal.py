"""The resolver's lines: one for each answer, whatever was asked."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import pytest

from tests.network.resolver.messages import A, question
from tests.network.resolver.room import Room
from tests.network.resolver.tenants import ACME

KEYS = {
    *("event", "time", "tenant", "source", "name", "type", "protocol", "verdict", "sent"),
    "milliseconds",
}

NAMES: dict[str, list[bytes]] = {
    "a line's end": [b'x"}\n{"event":"query","tenant":"other"}', b"one"],
    "a carriage return": [b"a\r\nb", b"two"],
    "a zero byte": [b"\0", b"three"],
    "quotes and backslashes": [b'"\\"', b"four"],
    "an escape of a terminal": [b"\x1b[2Jcleared", b"five"],
    "bytes that are no UTF-8": [bytes(range(128, 180)), b"six"],
    "a line separator of Unicode": ["\u2028\u2029\u202e".encode(), b"seven"],
    "format characters": [b"%s%n%x{name}{{ .Name }}$(id)`id`", b"eight"],
    "dots and brackets within a label": [b"a.b;c(d)e@f g", b"nine"],
    "as long as a name can be": [b"\xff" * 60, b"\n" * 60, b'"' * 60, b"ten"],
}


@pytest.mark.parametrize("labels", NAMES.values(), ids=NAMES)
def test_whatever_is_asked_is_one_line_that_can_be_read(
    room: Room, labels: Sequence[bytes]
) -> None:
    before = len(room.do("log"))
    room.answered(ACME, question(labels))
    while len(found := room.do("log")) == before:
        time.sleep(0.02)
    (line,) = found[before:]
    assert line.isascii() or labels[-1] == b"seven", "odd bytes are written out"
    document = json.loads(line)
    assert set(document) == KEYS
    assert (document["tenant"], document["verdict"]) == ("acme", "NXDOMAIN")
    assert document["name"].endswith(labels[-1].decode() + ".")
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in document["name"])


def test_a_line_says_who_asked_for_what_and_what_became_of_it(room: Room) -> None:
    room.answered(ACME, question("API.github.com", A))
    while not (found := room.lines(lambda line: line.get("name") == "API.github.com.")):
        time.sleep(0.02)
    line = found[-1]
    assert (line["event"], line["tenant"], line["type"]) == ("query", "acme", "A")
    assert (line["protocol"], line["verdict"]) == ("udp", "NOERROR")
    assert line["source"].startswith("127.0.0.1:")
    assert line["sent"] > 40
