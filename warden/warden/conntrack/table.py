"""The kernel's table of connections, by netlink: entries of one address are found and deleted.

https://docs.kernel.org/networking/netlink_spec/conntrack.html
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

# Without types of its own.
from pyroute2.netlink import NLM_F_ACK, NLM_F_REQUEST  # type: ignore[import-untyped]
from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]
from pyroute2.netlink.nfnetlink.nfctsocket import (  # type: ignore[import-untyped]
    IPCTNL_MSG_CT_DELETE,
    AsyncNFCTSocket,
    NFCTAttrTuple,
    nfct_msg,
    terminate_error_msg,
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

REFUSED: tuple[type[Exception], ...] = (OSError, NetlinkError)
"""What the kernel's refusals are."""

_TUPLES = ("CTA_TUPLE_ORIG", "CTA_TUPLE_REPLY")
_ENDS = {4: ("CTA_IP_V4_SRC", "CTA_IP_V4_DST"), 6: ("CTA_IP_V6_SRC", "CTA_IP_V6_DST")}
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}

# A kernel that doesn't know the filter: before 5.8, and for replies some after it.
_UNFILTERED = (errno.EINVAL, errno.EOPNOTSUPP)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What was done about one address."""

    found: int
    deleted: int
    """Less than found where connections had ended by themselves meanwhile."""


async def cut(address: Address) -> Cut:
    """Deletes each entry that has the address at an end, before or after translation. One of
    REFUSED where the kernel doesn't let us; what was deleted until then stays so."""
    found = deleted = 0
    socket_ = AsyncNFCTSocket(nfgen_family=_FAMILIES[address.version])
    try:
        for entry in [entry async for entry in _entries(socket_, address)]:
            found += 1
            deleted += await _delete(socket_, entry)
    finally:
        socket_.close()
    return Cut(found=found, deleted=deleted)


async def _entries(socket_: AsyncNFCTSocket, address: Address) -> AsyncIterator[Any]:
    """Each once. The kernel filters, which spares copies of a table of hundred thousands; what it
    lets through is looked at again, since older ones don't."""
    seen = set()
    family = _FAMILIES[address.version]
    for direction in ("tuple_orig", "tuple_reply"):
        for end in ("saddr", "daddr"):
            wanted = NFCTAttrTuple(family=family, **{end: str(address)})
            async for entry in _dumped(socket_, **{direction: wanted}):
                number = entry.get_attr("CTA_ID")
                if number not in seen and address in _addresses(entry, address.version):
                    seen.add(number)
                    yield entry


async def _dumped(socket_: AsyncNFCTSocket, **wanted: NFCTAttrTuple) -> AsyncIterator[Any]:
    try:
        async for entry in await socket_.dump(**wanted):
            yield entry
    except NetlinkError as error:
        if error.code not in _UNFILTERED:
            raise
        async for entry in await socket_.dump():
            yield entry


def _addresses(entry: Any, version: int) -> Iterator[Address]:
    for direction in _TUPLES:
        ends = entry.get_attr(direction).get_attr("CTA_TUPLE_IP")
        for end in _ENDS[version]:
            if (text := ends.get_attr(end)) is not None:
                yield ipaddress.ip_address(text)


async def _delete(socket_: AsyncNFCTSocket, entry: Any) -> int:
    """1, or 0 where it had gone. It is told by all that the kernel says of it: its number too, so
    that one which took its place stays."""
    # Without a tuple the same message empties the whole table.
    attributes = [["CTA_TUPLE_ORIG", _plain(entry.get_attr("CTA_TUPLE_ORIG"))]]
    for name in ("CTA_ID", "CTA_ZONE"):
        if (value := entry.get_attr(name)) is not None:
            attributes.append([name, value])
    message = nfct_msg()
    message["attrs"] = attributes
    try:
        answer = await socket_.request(
            message,
            IPCTNL_MSG_CT_DELETE,
            msg_flags=NLM_F_REQUEST | NLM_F_ACK,
            terminate=terminate_error_msg,
        )
        async for _ in answer:
            pass
    except NetlinkError as error:
        if error.code != errno.ENOENT:
            raise
        return 0
    return 1


def _plain(read: Any) -> Any:
    """What was read, as it is written: the kernel gets back what it said, whatever protocol."""
    if hasattr(read, "get_attr"):
        return {"attrs": [[name, _plain(value)] for name, value in read["attrs"]]}
    return read
