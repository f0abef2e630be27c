"""Attacks on the gateway, each with the wall that must stop it."""

from __future__ import annotations

from tests.network.gateway.attacks import elsewhere, hosts, messages, paths
from tests.network.gateway.attacks.attack import Attack


def attacks() -> list[Attack]:
    """All of them."""
    return [
        *hosts.literals(),
        *hosts.unlisted(),
        *hosts.pairings(),
        *messages.first_bytes(),
        *messages.smuggling(),
        *elsewhere.addresses(),
        *elsewhere.identities(),
        *elsewhere.beside(),
        *paths.judged(),
    ]
