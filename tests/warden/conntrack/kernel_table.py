"""Entries of the kernel's table, made by hand in a network namespace of one's own. Run by tests
there: prints what is left after one address was cut."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import sys
from typing import Any

# Without types of its own.
from pyroute2 import Conntrack  # type: ignore[import-untyped]
from pyroute2.netlink.nfnetlink.nfctsocket import NFCTAttrTuple  # type: ignore[import-untyped]

from warden.conntrack.table import cut

TCP, UDP, SCTP = 6, 17, 132
V4, V6 = socket.AF_INET, socket.AF_INET6

# By what they are: family, protocol, from, to, and where a Service's address leads.
ENTRIES: dict[str, tuple[int, int, str, str, str | None]] = {
    "from the pod": (V4, TCP, "10.9.0.2", "10.9.1.2", None),
    "to the pod": (V4, UDP, "10.9.1.2", "10.9.0.2", None),
    "to the pod by a Service": (V4, TCP, "10.9.1.2", "10.96.0.1", "10.9.0.2"),
    "from the pod to a Service": (V4, UDP, "10.9.0.2", "10.96.0.1", "10.9.1.2"),
    "another protocol with ports": (V4, SCTP, "10.9.0.2", "10.9.1.2", None),
    "a neighbour's": (V4, TCP, "10.9.0.22", "10.9.1.2", None),
    "a neighbour's by the same Service": (V4, TCP, "10.9.1.2", "10.96.0.2", "10.9.0.3"),
    "from the pod over IPv6": (V6, TCP, "fd09::2", "fd09:1::2", None),
    "a neighbour's over IPv6": (V6, TCP, "fd09::22", "fd09:1::2", None),
}


def add(port: int, entry: tuple[int, int, str, str, str | None]) -> None:
    """Puts it there. Its port is its name."""
    family, protocol, source, to, behind = entry
    there = NFCTAttrTuple(
        family=family, proto=protocol, saddr=source, daddr=to, sport=port, dport=443
    )
    back = there.reverse()
    back.saddr = behind or to
    with Conntrack(nfgen_family=family) as table:
        table.entry("add", timeout=300, tuple_orig=there, tuple_reply=back)


def left() -> list[str]:
    """Entries that are there."""
    names = dict(enumerate(ENTRIES, start=1000))
    found = set()
    for family in (V4, V6):
        with Conntrack(nfgen_family=family) as table:
            found |= {names[each.tuple_orig.sport] for each in _ported(table)}
    return sorted(found)


def _ported(table: Any) -> list[Any]:
    """What pyroute2 reads no ports of, it gives as None: those of SCTP."""
    entries = list(table.dump_entries())
    for each in entries:
        if each.tuple_orig.proto == SCTP:
            each.tuple_orig.sport = 1000 + list(ENTRIES).index("another protocol with ports")
    return entries


def main(address: str) -> None:
    """Prints what was done, and what was left before and after."""
    for port, entry in enumerate(ENTRIES.values(), start=1000):
        add(port, entry)
    before = left()
    done = [asyncio.run(cut(ipaddress.ip_address(address))) for _ in range(2)]
    told = [[each.found, each.deleted] for each in done]
    json.dump({"before": before, "done": told, "after": left()}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
