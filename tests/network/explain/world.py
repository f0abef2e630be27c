"""Runs a pod's command in a network namespace in which everybody answers everything (`open`), or in
which nobody is there (`closed`): `python -m tests.network.explain.world open COMMAND…`, the last
word of the command being what the attacker is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import struct
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

from warden.egress.certificates import authority, host_certificate

ELSEWHERE = "93.184.216.34"
NODE = "10.0.0.200"
DNS_PORT, TLS_PORT, PLAIN_PORT = 53, 40443, 40080

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Answering(asyncio.DatagramProtocol):
    """Answers every datagram; a question for DNS with an address."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        dns = self._transport.get_extra_info("sockname")[1] == 53
        self._transport.sendto(answer(data) if dns else b"here", addr)


def answer(question: bytes) -> bytes:
    """One record, whatever is asked."""
    end = 12
    while question[end]:
        end += 1 + question[end]
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, 30, 4) + ip_address(ELSEWHERE).packed
    return (
        question[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + question[12 : end + 5] + record
    )


async def serve(streams: Streams) -> None:
    """Answers requests; DNS on 53."""
    reader, writer = streams
    port = writer.get_extra_info("sockname")[1]
    while first := await reader.read(65536):
        if port == DNS_PORT:
            found = answer(first[2:])
            writer.write(struct.pack("!H", len(found)) + found)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()


async def either(streams: Streams) -> None:
    """Tunnels, and TLS where the first byte says so, in a tunnel too."""
    reader, writer = streams
    first = await reader.read(65536)
    if first.startswith(b"CONNECT "):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await writer.drain()
        first = await reader.read(65536)
    if first:
        target = TLS_PORT if first[:1] == b"\x16" else PLAIN_PORT
        further, back = await asyncio.open_connection("127.0.0.2", target)
        back.write(first)
        await asyncio.gather(_copy(reader, back), _copy(further, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _listen(
    host: str, port: int, serving: Callable[[Streams], Awaitable[None]], **more: Any
) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            await serving((reader, writer))
        writer.close()

    await asyncio.start_server(client, host, port, **more)


async def open_world(tries: Iterable[dict[str, Any]], folder: Path) -> None:
    """Everybody that is tried is there."""
    places = {(each["host"].replace("{node}", NODE), each["port"]) for each in tries}
    await _have_addresses({host for host, _ in places}, folder)
    await _listen("127.0.0.2", TLS_PORT, serve, ssl=_context(folder))
    await _listen("127.0.0.2", PLAIN_PORT, serve)
    loop = asyncio.get_running_loop()
    for host, port in sorted(places):
        if port:
            await _listen(host, port, serve if port == DNS_PORT else either)
            await loop.create_datagram_endpoint(Answering, local_addr=(host, port))


async def _have_addresses(hosts: Iterable[str], folder: Path) -> None:
    lengths = {host: "128 dev lo nodad" if ":" in host else "32 dev lo" for host in hosts}
    orders = [f"addr add {host}/{length}\n" for host, length in sorted(lengths.items())]
    (folder / "addresses").write_text("".join(orders))
    _ip("-batch", str(folder / "addresses"))
    Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 2147483647")


def _context(folder: Path) -> ssl.SSLContext:
    now = datetime.now(UTC)
    pair = host_certificate("anybody.example", authority("anybody", now), now)
    (folder / "pair.pem").write_text(pair.key + pair.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pair.pem")
    return context


def _ip(*words: str) -> None:
    found = next(path for path in ("/sbin/ip", "/usr/sbin/ip", "/bin/ip") if Path(path).exists())
    subprocess.run([found, *words], check=True, capture_output=True)


async def main(kind: str, command: list[str]) -> int:
    """The command's exit code."""
    _ip("link", "set", "lo", "up")
    with tempfile.TemporaryDirectory() as folder:
        if kind == "open":
            await open_world(json.loads(command[-1])["tries"], Path(folder))
        process = await asyncio.create_subprocess_exec(*command, env={"NODE_ADDRESS": NODE})
        return await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2:])))
