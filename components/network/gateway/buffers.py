"""How much of a connection the gateway holds where one side is slower than the other.

A tunnel passes three connections, one behind the other, and two pairs of sockets in Envoy's own
memory; each of them holds this much before the one before it waits.
"""

from __future__ import annotations

from components.network.gateway.envoy import Config

KIB = 1024
BUFFER_KIB = 512
"""With 64 KiB everywhere a large transfer costs half as much CPU again; with Envoy's default of
1 MiB it costs no less, and each slow reader keeps nearly twice the memory (5.9 MiB to 3.4)."""


def bounded() -> Config:
    """Of a listener or a cluster."""
    return {"per_connection_buffer_limit_bytes": BUFFER_KIB * KIB}
