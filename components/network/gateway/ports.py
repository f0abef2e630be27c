"""A tenant's ports at the shared gateway and resolver: which one is reached says who it is."""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 10000
EACH = 4

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - of a pod: network policy says who comes that far

SERVICE_PORTS = {"tls": 443, "plain": 80, "connect": 3128}
"""Ports of a tenant's address at the gateway. Plain HTTP and CONNECT come in by one door."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Doors:
    """Where a tenant comes in: target ports of its Services."""

    proxy: int
    """HTTP: CONNECT, and plain requests."""
    tls: int
    """TLS as it comes, with a server name."""
    dns: int
    """At the resolver's pods."""
    registries: int
    """TLS again, for the tenant's package mirror alone."""


def doors(number: int) -> Doors:
    """Of the tenant with that number (from 1)."""
    first = FIRST + EACH * (number - 1)
    return Doors(proxy=first, tls=first + 1, dns=first + 2, registries=first + 3)
