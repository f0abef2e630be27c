"""What an attack is, and the walls that stop them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.network.gateway.steps import Steps

ROUTES = "routes"
CODEC = "codec"
SAME_NAME = "same name"
TLS_ONLY = NO_CHAIN = "tls only"
"""No chain of a listener fits what comes."""
ADDRESSES = "addresses"
NO_ADDRESS = "no address"
UPGRADES = "upgrades"
PATHS = "paths"
INSPECTED = "inspected routes"
INSPECTED_CODEC = "inspected codec"
HEADERS = "headers"

OK, EVIL, PLAIN = "ok.example.org", "evil.example.org", "plain.example.org"
OK_443 = f"{OK}:443"


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One connection that tries to get at something."""

    name: str
    wall: str
    """What stops it."""
    steps: Steps
    door: str = "proxy"
    """The tenant's port: `proxy`, `tls`; or `ADDRESS:PORT`."""
    tenant: str = "acme"
    reaches: tuple[str, ...] = ()
    """Requests that may arrive at an upstream: those that are allowed, before or beside the attack.
    """
    hidden: str = ""
    """What must not be in any header that arrives, where that is the attack."""
    shows: str = ""
    """What the attacker sees, where the wall writes no log."""
