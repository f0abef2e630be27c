"""Attacks that wait for something to time out, begun first and looked at last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.network.gateway.steps import Steps, connect, plain
from tests.network.laboratory.outside import Laboratory, proxy, tls

OK_443 = "ok.example.org:443"
SLOW: Mapping[str, tuple[str, Steps]] = {
    "headers that never end": ("proxy", [["send", "GET / HTTP/1.1\r\nHost: plain"]]),
    "a CONNECT that never ends": ("proxy", [["send", f"CONNECT {OK_443} HTTP/1.1\r\nx:"]]),
    "a tunnel in which nothing is said": ("proxy", connect(OK_443)),
    "a tunnel with a hello that never ends": ("proxy", [*connect(OK_443), ["send", "\x16\x03"]]),
    "TLS that never says hello": ("tls", []),
    "TLS with a hello that never ends": ("tls", [["send", "\x16\x03\x01\x02\x00\x01"]]),
}
"""By name: the tenant's door, and what is done there before nothing is."""

REBOUND = "rebound.example.org"
SECONDS = 25
"""More than any of the gateway's timeouts for beginnings, also on a busy machine."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Orders that are under way."""

    slow: Mapping[str, int]
    rebound: int

    @classmethod
    def begin(cls, laboratory: Laboratory) -> Waiting:
        """Begins them."""
        doors = {"proxy": proxy("acme"), "tls": tls("acme")}
        slow = {
            name: laboratory.begin(
                "hold", name=name, host="127.0.0.1", port=doors[door], steps=[*steps, ["end"]],
                seconds=SECONDS,
            )
            for name, (door, steps) in SLOW.items()
        }  # fmt: skip
        # Looked up while it leads to a public address; it leads to a private one from then on.
        first = plain(REBOUND, "/before")
        laboratory.ask("probe", host="127.0.0.1", port=doors["proxy"], steps=first, logs=False)
        laboratory.ask("answers", name=REBOUND, found=["10.9.9.9"])
        return cls(slow=slow, rebound=laboratory.begin("asked_again", name=REBOUND))
