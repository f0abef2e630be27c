"""A tenant's Service at the gateway: a double of what a cluster's nodes do with its address."""

from __future__ import annotations

import asyncio
import contextlib

from components.network.gateway.ports import SERVICE_PORTS, doors


async def forward(address: str, number: int) -> None:
    """Leads the Service's ports to the tenant's own."""
    ports = doors(number)
    for way, port in SERVICE_PORTS.items():
        target = ports.tls if way == "tls" else ports.proxy
        await _listen(address, port, target)


async def _listen(address: str, port: int, target: int) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        further, back = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(_copy(reader, back), _copy(further, writer))

    await asyncio.start_server(client, address, port, backlog=500)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
