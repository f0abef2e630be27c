"""Which requests pass where they are judged, told from routes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.network.gateway.envoy import Config


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """Methods, and what paths begin with."""

    methods: tuple[str, ...]
    prefix: str

    def __str__(self) -> str:
        return f"{', '.join(self.methods)} {self.prefix}…"


def allowed_requests(routes: Sequence[Config], methods: Sequence[str]) -> Iterator[Allowed]:
    """Of `methods`, those that a route takes; nothing for routes that take tunnels."""
    for route in routes:
        match = route["match"]
        if "prefix" not in match:
            continue
        patterns = [
            header["string_match"]["safe_regex"]["regex"]
            for header in match.get("headers", ())
            if header["name"] == ":method"
        ]
        taken = tuple(
            each for each in methods if all(re.fullmatch(pattern, each) for pattern in patterns)
        )
        yield Allowed(methods=taken, prefix=match["prefix"])
