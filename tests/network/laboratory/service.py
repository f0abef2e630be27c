"""A tenant's Service at the gateway: a double of what a cluster's nodes do with its address."""

from __future__ import annotations

import asyncio
import contextlib
from typing import cast

from components.network.gateway.ports import SERVICE_PORTS, doors

ANSWER_SECONDS = 5
"""How long an answer is waited for."""


async def forward(address: str, number: int) -> None:
    """Leads the Service's ports to the tenant's own."""
    ports = doors(number)
    for way, port in SERVICE_PORTS.items():
        target = ports.tls if way == "tls" else ports.proxy
        await listen(address, port, target)


async def listen(address: str, port: int, target: int, pod: str = "127.0.0.1") -> None:
    """Leads that address and port to a pod's port."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        further, back = await asyncio.open_connection(pod, target)
        await asyncio.gather(_copy(reader, back), _copy(further, writer))

    await asyncio.start_server(client, address, port, backlog=500)


async def listen_udp(address: str, port: int, target: int, pod: str) -> None:
    """The same for questions and their answers."""
    loop = asyncio.get_running_loop()

    class Asked(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.client = cast("asyncio.DatagramTransport", transport)
            self.asking: set[asyncio.Task[None]] = set()

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            task = loop.create_task(self.ask(data, addr))
            self.asking.add(task)
            task.add_done_callback(self.asking.discard)

        async def ask(self, data: bytes, addr: tuple[str, int]) -> None:
            client = self.client

            class Answered(asyncio.DatagramProtocol):
                def datagram_received(self, data: bytes, _: tuple[str, int]) -> None:
                    client.sendto(data, addr)

            to, _ = await loop.create_datagram_endpoint(Answered, remote_addr=(pod, target))
            to.sendto(data)
            await asyncio.sleep(ANSWER_SECONDS)
            to.close()

    await loop.create_datagram_endpoint(Asked, local_addr=(address, port))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
