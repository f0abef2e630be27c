"""What a sandbox can ask, and what becomes of it. Each row names the wall that it meets.

list        the name isn't on the tenant's list: it doesn't exist
type        the name is listed, and has an address and nothing else
class       CoreDNS refuses classes other than IN before any plugin
operation   only questions are answered
form        no message that can be read as one question
edns        what EDNS carries is neither used nor handed back
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.network.resolver import messages as dns
from tests.network.resolver.messages import question
from tests.network.resolver.room import SILENCE, Room, gateway
from tests.network.resolver.tenants import ACME, LONG, OTHER, UNLISTED

TYPES = {
    "NS": dns.NS,
    "CNAME": dns.CNAME,
    "SOA": dns.SOA,
    "NULL": dns.NULL,
    "PTR": dns.PTR,
    "MX": dns.MX,
    "TXT": dns.TXT,
    "AAAA": dns.AAAA,
    "SRV": dns.SRV,
    "NAPTR": dns.NAPTR,
    "DS": dns.DS,
    "RRSIG": dns.RRSIG,
    "SVCB": dns.SVCB,
    "HTTPS": dns.HTTPS,
    "IXFR": dns.IXFR,
    "AXFR": dns.AXFR,
    "ANY": dns.ANY,
    "CAA": dns.CAA,
    "type 0": 0,
    "type 65280": 65280,
}

SECRET = b"AKIA-something-that-must-not-get-out"


def _entropy(size: int, seed: str) -> str:
    """A label as a tunnel makes them."""
    digest = hashlib.shake_256(seed.encode()).digest(size)
    return base64.b32encode(digest).decode().lower().rstrip("=")[:size]


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A message, to whose port it goes, and the answer that the wall gives; None for silence."""

    what: str
    message: bytes
    rcode: int | None
    wall: str
    number: int = ACME


def _listed(type_name: str) -> Attack:
    message = question("api.github.com", TYPES[type_name])
    return Attack(what=f"{type_name} of a listed name", message=message, rcode=0, wall="type")


def _below_wildcard(type_name: str) -> Attack:
    message = question("files.pypi.org", TYPES[type_name])
    return Attack(
        what=f"{type_name} of a name that a wildcard lists", message=message, rcode=0, wall="type"
    )


def _unlisted(type_name: str) -> Attack:
    message = question("tunnel.evil.example", TYPES[type_name])
    return Attack(
        what=f"{type_name} of a name that isn't listed", message=message, rcode=3, wall="list"
    )


def _name(what: str, host: str | Sequence[bytes], number: int = ACME) -> Attack:
    return Attack(what=what, message=question(host), rcode=3, wall="list", number=number)


def _operation(what: str, opcode: int) -> Attack:
    message = question("api.github.com", opcode=opcode)
    return Attack(what=what, message=message, rcode=dns.NOTIMP, wall="operation")


def _class(what: str, class_: int, host: str = "api.github.com", type_: int = dns.A) -> Attack:
    message = question(host, type_, class_=class_)
    return Attack(what=what, message=message, rcode=dns.REFUSED, wall="class")


def _form(what: str, message: bytes, rcode: int | None) -> Attack:
    return Attack(what=what, message=message, rcode=rcode, wall="form")


_PLAIN = question("api.github.com")
_TWO_QUESTIONS = _PLAIN[:5] + b"\x02" + _PLAIN[6:] + dns.name("evil.example") + b"\0\x01\0\x01"

ATTACKS = [
    *(_listed(each) for each in TYPES),
    *(_below_wildcard(each) for each in ("TXT", "NULL", "ANY", "HTTPS", "CNAME", "AAAA")),
    *(_unlisted(each) for each in ["A", *TYPES] if each != "A"),
    _name("a name that isn't listed", "evil.example"),
    _name("below an exact name", "x.api.github.com"),
    _name("high entropy below an exact name", f"{_entropy(60, 'a')}.api.github.com"),
    _name("four labels of high entropy", f"{'.'.join(_entropy(55, s) for s in 'abc')}.github.com"),
    _name("high entropy, two labels below a wildcard",
          f"{_entropy(50, 'b')}.{_entropy(50, 'c')}.pypi.org"),
    _name("two labels below a wildcard", "a.b.pypi.org"),
    _name("the wildcard's own name", "pypi.org"),
    _name("a wildcard as it is written", "*.pypi.org"),
    _name("a dot within a label below a wildcard", [b"a.b", b"pypi", b"org"]),
    _name("a dot within a label of an exact name", [b"api.github", b"com"]),
    _name("an underscore below a wildcard", "_dns.pypi.org"),
    _name("a zero byte below a wildcard", [b"a\0", b"pypi", b"org"]),
    _name("odd bytes below a wildcard", [bytes(range(200, 255)), b"pypi", b"org"]),
    _name("a backslash below a wildcard", [b"a\\", b"pypi", b"org"]),
    _name("a look-alike of the Kelvin sign", ["api.github.com".replace("k", "K").encode(), b"x"]),
    _name("a dotless i for an i", ["ap\u0131".encode(), b"github", b"com"]),
    _name("a zero byte after an exact name", [b"api", b"github", b"com\0"]),
    _name("an exact name as a beginning", "api.github.com.evil.example"),
    _name("an exact name as an end of a label", "evilapi.github.com"),
    _name("a wildcard's name as an end of a label", "a.evilpypi.org"),
    _name("a parent of a listed name", "github.com"),
    _name("a parent within a listed name", "tree.example.org"),
    _name("the root", ""),
    _name("a top domain", "com"),
    _name("a label of 63 bytes", f"{'a' * 63}.evil.example"),
    _name("a name of 253 bytes", ".".join(["a" * 61] * 4)),
    _name("the cluster's own names", "kubernetes.default.svc.cluster.local"),
    _name("the metadata service by name", "metadata.google.internal"),
    _name("the instance's own name", "instance-data.ec2.internal"),
    _name("an address as a name", "169.254.169.254"),
    _name("a reverse look-up", "254.169.254.169.in-addr.arpa"),
    _name("another tenant's name", "only-other.example.org"),
    _name("one's own name at another tenant's port", "api.github.com", OTHER),
    _name("anything by a tenant without a list", "api.github.com", UNLISTED),
    _name("what CoreDNS says of itself", "version.bind"),
    _name("the name in refusals", "corral.invalid"),
    _class("version.bind in CH", dns.CH, "version.bind", dns.TXT),
    _class("hostname.bind in CH", dns.CH, "hostname.bind", dns.TXT),
    _class("a listed name in CH", dns.CH),
    _class("a listed name in HS", dns.HS),
    _class("a listed name in NONE", dns.NONE),
    _class("a listed name in ANY", dns.ANY_CLASS),
    _class("everything of a listed name in ANY", dns.ANY_CLASS, type_=dns.ANY),
    _operation("an update", dns.UPDATE),
    _operation("a notification", dns.NOTIFY),
    _operation("an inverse query", dns.IQUERY),
    _operation("a status query", dns.STATUS),
    _operation("an operation that is none", 15),
    _form("no question", _PLAIN[:4] + b"\0\0" + _PLAIN[6:], dns.FORMERR),
    _form("two questions", _TWO_QUESTIONS, dns.FORMERR),
    _form("a question that says it is an answer", _PLAIN[:2] + b"\x81" + _PLAIN[3:], None),
    _form("nothing", b"", None),
    _form("half a header", _PLAIN[:7], None),
    _form("half a name", _PLAIN[:18], dns.FORMERR),
    _form("a name that points to itself", _PLAIN[:12] + b"\xc0\x0c\0\x01\0\x01", dns.FORMERR),
    _form("a name that points behind the end", _PLAIN[:12] + b"\xff\xff\0\x01\0\x01", dns.FORMERR),
    _form("a label of a reserved kind", _PLAIN[:12] + b"\x80abc\0\0\x01\0\x01", dns.FORMERR),
    _form("a name of 300 bytes", question(".".join(["a" * 59] * 5)), dns.FORMERR),
    _form("ten further records that aren't there", _PLAIN[:10] + b"\0\x0a" + _PLAIN[12:],
          dns.FORMERR),
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.what for attack in ATTACKS])
def test_no_attack_gets_anything(room: Room, attack: Attack) -> None:
    silent = attack.rcode is None
    found = room.ask(attack.number, attack.message, **({"seconds": SILENCE} if silent else {}))
    if found is None:
        assert silent, f"the wall `{attack.wall}` answers"
        return
    assert (found.rcode, list(found.answers)) == (attack.rcode, []), attack.wall
    assert all(each.type == dns.SOA for each in found.authority), "nothing but how long it is kept"
    assert [each for each in found.additional if each.type != dns.OPT] == []


def test_a_hundred_attacks_are_known() -> None:
    assert len(ATTACKS) >= 100
    assert len({attack.what for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize(
    "host",
    [
        *("api.github.com", "API.GITHUB.COM", "aPi.GitHUb.cOM", "deep.tree.example.org"),
        *("files.pypi.org", "FILES.pypi.ORG", "0.pypi.org", LONG),
    ],
)
def test_listed_names_lead_to_the_tenants_own_address(room: Room, host: str) -> None:
    found = room.answered(ACME, question(host))
    assert (found.rcode, found.addresses) == (0, [gateway(ACME)])
    asked = dns.name(host)
    assert found.question.startswith(asked), "in the letters that it was asked in"
    assert found.answers[0].name == host.encode(), "clients that play with case insist on theirs"
    assert found.size <= 512, "fits without EDNS"


def test_every_tenant_has_its_own_address(room: Room) -> None:
    found = room.answered(OTHER, question("only-other.example.org"))
    assert found.addresses == [gateway(OTHER)] != [gateway(ACME)]


def test_high_entropy_below_a_wildcard_is_answered_and_told_to_nobody(room: Room) -> None:
    """A wildcard of one label is a channel as far as the resolver's own memory: to its journal."""
    hosts = [f"{_entropy(60, str(seed))}.pypi.org" for seed in range(50)]
    for host in hosts:
        assert room.answered(ACME, question(host)).addresses == [gateway(ACME)]
    assert room.do("left") == 0
    assert room.do("sockets") == []


OPTIONS = {
    "client subnet": dns.option(8, b"\0\x01\x20\0\x0a\0\0\x01"),
    "a cookie": dns.option(10, SECRET[:8]),
    "the server's name": dns.option(3, b""),
    "padding": dns.option(12, SECRET),
    "an option of nobody's": dns.option(65001, SECRET),
    "an option longer than it is": b"\xfd\xe9\xff\xff" + SECRET,
    "keep the connection": dns.option(11, b""),
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_what_edns_carries_changes_nothing_and_does_not_come_back(
    room: Room, options: bytes
) -> None:
    for host, addresses in (("api.github.com", [gateway(ACME)]), ("evil.example", [])):
        found = room.answered(ACME, question(host, options=options))
        assert found.addresses in (addresses, []), "the same, or not read at all"
        assert [each.data for each in found.additional if each.data] == []


def test_a_client_that_offers_edns_is_answered(room: Room) -> None:
    found = room.answered(ACME, question("api.github.com", options=OPTIONS["client subnet"]))
    assert found.addresses == [gateway(ACME)]


def test_another_version_of_edns_is_refused(room: Room) -> None:
    found = room.answered(ACME, question("api.github.com", options=b"", version=1))
    assert (found.rcode, list(found.answers)) == (dns.BADVERS, [])


def test_bytes_behind_a_question_do_not_come_back(room: Room) -> None:
    (found,) = room.do(
        "udp", number=ACME, messages=[question("evil.example", tail=SECRET * 30).hex()], seconds=2
    )
    assert SECRET.hex() not in (found or "")


def test_nobody_who_is_asked_in_anothers_name_gets_much_sent_there(room: Room) -> None:
    worst = 0.0
    for attack in ATTACKS:
        if len(attack.message) > 12 and (found := room.ask(attack.number, attack.message,
                                                          seconds=SILENCE)):  # fmt: skip
            worst = max(worst, found.size / len(attack.message))
    assert worst <= 3, "an answer is little more than the question"


def test_nothing_left_the_namespace(room: Room) -> None:
    """After all of it: no packet outside, and no socket that is connected to anybody there."""
    assert room.do("left") == 0
    assert room.do("sockets") == []
    room.do("leave")
    assert room.do("left") == 1, "this counter does count"


def test_the_program_has_nothing_that_could_ask_anybody(resolver_program: object) -> None:
    said = subprocess.run(
        [str(resolver_program), "-plugins"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert said == [
        *("allow", "bind", "budget", "errors", "health", "journal"),
        *("prometheus", "ready", "reload", "timeouts"),
    ]
