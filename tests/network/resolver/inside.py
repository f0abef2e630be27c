"""What runs in the namespace: the resolver, and whoever asks it. Commands are lines of JSON.

Apart from loopback there is one interface, with the way to everywhere: whatever the resolver sent
to anybody would be counted there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from components.network.gateway.ports import doors
from components.network.resolver.corefile import READY_PORT, shared_corefile
from tests.network.resolver import messages

HOST = "127.0.0.1"
SENT_PACKETS = 9
"""Column of /proc/net/dev."""
REFILL = 0.3
"""In which the smallest budget gets a dozen answers."""
PAUSE = 0.02
"""Between looks at what tells nobody of its changes."""


class Room:
    """Each public method is a command."""

    def __init__(self, folder: Path, program: str) -> None:
        self._folder, self._program = folder, program
        self._tenants = folder / "tenants"
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._asking: asyncio.Task[list[bool]] | None = None
        self.lines: list[str] = []

    async def start(self, files: dict[str, str]) -> None:
        """The resolver with these tenants' files."""
        self._tenants.mkdir()
        for tenant, text in files.items():
            await self.put(tenant, text)
        corefile = self._folder / "Corefile"
        corefile.write_text(shared_corefile(str(self._tenants), address=HOST))
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            "-conf",
            str(corefile),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            limit=2**20,
        )
        self._background(self._read())
        async with asyncio.timeout(30):
            while not await asyncio.to_thread(_ready):
                if self._process.returncode is not None:
                    raise RuntimeError("\n".join(self.lines[-5:]))
                await asyncio.sleep(PAUSE)

    async def put(self, tenant: str, text: str) -> None:
        """A tenant's file, whole or not at all, as its keeper writes it."""
        unfinished = self._folder / f"{tenant}.unfinished"
        unfinished.write_text(text)
        unfinished.rename(self._tenants / f"{tenant}.corefile")

    async def remove(self, tenant: str) -> None:
        """A tenant's file."""
        (self._tenants / f"{tenant}.corefile").unlink()

    async def udp(self, number: int, messages: list[str], seconds: float) -> list[str | None]:
        """Each message by a socket of its own, one after the other; what came back, if anything."""
        return [await self._ask(number, bytes.fromhex(each), seconds) for each in messages]

    async def flood(self, number: int, message: str, count: int) -> int:
        """As many as fast as can be, from one socket; how many were answered."""
        loop, answered = asyncio.get_running_loop(), 0

        class Count(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
                nonlocal answered
                answered += 1

        transport, _ = await loop.create_datagram_endpoint(
            Count, remote_addr=(HOST, doors(number).dns)
        )
        for sent in range(count):
            transport.sendto(bytes.fromhex(message))
            if sent % 50 == 0:
                await asyncio.sleep(0)
        known = -1
        while known != answered:
            known = answered
            await asyncio.sleep(0.3)
        transport.close()
        return answered

    async def fuzz(self, number: int, messages: list[str]) -> list[str]:
        """All of them from one socket, a few at a time; whatever came back."""
        loop = asyncio.get_running_loop()
        found: list[str] = []

        class Keep(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
                found.append(data.hex())

        transport, _ = await loop.create_datagram_endpoint(
            Keep, remote_addr=(HOST, doors(number).dns)
        )
        for sent, message in enumerate(messages):
            transport.sendto(bytes.fromhex(message))
            if sent % 20 == 0:
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.5)
        transport.close()
        return found

    async def tcp(
        self, number: int, stream: str, seconds: float, later: str = ""
    ) -> dict[str, Any]:
        """These bytes by TCP, and others `later`, when a budget has something again; what came
        back, and whether the resolver ended the connection."""
        reader, writer = await asyncio.open_connection(HOST, doors(number).dns)
        found, ended = b"", False
        try:
            writer.write(bytes.fromhex(stream))
            if later:
                await asyncio.sleep(REFILL)
                writer.write(bytes.fromhex(later))
            async with asyncio.timeout(seconds):
                while data := await reader.read(65536):
                    found += data
            ended = True
        except ConnectionError:
            ended = True  # with something of ours unread
        except TimeoutError:
            pass
        writer.close()
        return {"found": found.hex(), "ended": ended}

    async def idle(self, number: int, count: int, seconds: float) -> int:
        """Opens so many connections that ask once and then say nothing: how many the resolver had
        ended when the time was over."""

        async def one() -> bool:
            stream = messages.framed(messages.question("nobody.example"))
            return bool((await self.tcp(number, stream.hex(), seconds))["ended"])

        return sum(await asyncio.gather(*(one() for _ in range(count))))

    async def ask_on(self, number: int, message: str) -> None:
        """Goes on asking, one question after the other."""

        async def asking() -> list[bool]:
            found = []
            while True:
                try:
                    found.append(await self._ask(number, bytes.fromhex(message), 2) is not None)
                    await asyncio.sleep(0.005)
                except asyncio.CancelledError:
                    return found

        self._asking = asyncio.create_task(asking())

    async def asked(self) -> list[bool]:
        """Ends that; whether each was answered."""
        assert self._asking
        self._asking.cancel()
        return await self._asking

    async def log(self) -> list[str]:
        """All that the resolver said."""
        return self.lines

    async def figures(self) -> str:
        """What monitoring is told."""
        return (await asyncio.to_thread(_get, 9153, "/metrics")).decode()

    async def alive(self) -> bool:
        """Whether the process that was started still runs."""
        return self._process is not None and self._process.returncode is None

    async def sockets(self) -> list[str]:
        """The resolver's sockets that are connected, or bound to anything but loopback."""
        assert self._process
        found = []
        for kind in ("udp", "tcp", "udp6", "tcp6"):
            table = Path(f"/proc/{self._process.pid}/net/{kind}").read_text().splitlines()[1:]
            inodes = _inodes(self._process.pid)
            for line in table:
                local, remote, inode = (line.split()[at] for at in (1, 2, 9))
                connected = remote.rpartition(":")[0].strip("0") and not remote.startswith(
                    "0100007F"
                )
                if inode in inodes and (connected or not local.startswith("0100007F")):
                    found.append(f"{kind} {local} {remote}")
        return found

    async def left(self) -> int:
        """How many packets left by the interface that leads outside."""
        table = Path("/proc/self/net/dev").read_text().splitlines()
        (line,) = (line for line in table if line.strip().startswith("outside:"))
        return int(line.partition(":")[2].split()[SENT_PACKETS])

    async def leave(self) -> None:
        """Sends one packet there."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("192.0.2.53", 53)
        )
        transport.sendto(b"out")
        transport.close()

    async def stop(self) -> None:
        """The resolver."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        for task in self._tasks:
            task.cancel()

    async def _ask(self, number: int, message: bytes, seconds: float) -> str | None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()

        class One(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
                if not answer.done():
                    answer.set_result(data)

        transport, _ = await loop.create_datagram_endpoint(
            One, remote_addr=(HOST, doors(number).dns)
        )
        try:
            transport.sendto(message)
            async with asyncio.timeout(seconds):
                return (await answer).hex()
        except TimeoutError:
            return None
        finally:
            transport.close()

    async def _read(self) -> None:
        assert self._process
        assert self._process.stdout
        async for line in self._process.stdout:
            self.lines.append(line.decode("utf-8", "surrogateescape").removesuffix("\n"))

    def _background(self, work: Any) -> None:
        self._tasks.add(asyncio.create_task(work))


def _inodes(pid: int) -> set[str]:
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(str(file.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found


def _ready() -> bool:
    try:
        return _get(READY_PORT, "/ready") == b"OK"
    except OSError:
        return False


def _get(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=5) as answer:
        found: bytes = answer.read()
        return found


def _configure_namespace() -> None:
    ip = "/sbin/ip" if Path("/sbin/ip").exists() else "/usr/sbin/ip"
    for order in (
        "link set lo up",
        "link add outside type veth peer name far",
        # IPv6 would say hello by itself.
        "link set outside addrgenmode none",
        "link set far addrgenmode none",
        "link set far up",
        "link set outside up arp off",
        "addr add 192.0.2.1/24 dev outside",
        "route add default dev outside",
    ):
        subprocess.run([ip, *order.split()], check=True, capture_output=True)


async def _main() -> None:
    _configure_namespace()
    room = Room(Path(sys.argv[1]), sys.argv[2])
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        try:
            answer = {"found": await getattr(room, order["do"])(**order["with"])}
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        os.write(1, json.dumps(answer).encode() + b"\n")
    await room.stop()


if __name__ == "__main__":
    asyncio.run(_main())
