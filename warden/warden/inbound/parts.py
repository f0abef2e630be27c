"""A tenant's ways in, as the program wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from warden.inbound.signatures import SCHEMES

OWNER_LABEL = "inbound.corral.dev/part"
"""On ConfigMaps: whose ways in it holds."""
PART_KEY = "part.json"

Route = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Hook:
    """One webhook."""

    tenant: str
    name: str
    path: str
    """As it comes in: `/<tenant>/…`."""
    methods: frozenset[str]
    scheme: str
    header: str
    secret: str
    body_limit: int
    per_minute: int
    agent_class: str
    port: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """One tenant's. Without `ports` there is no router for its owner."""

    tenant: str
    hooks: tuple[Hook, ...]
    ports: frozenset[int]
    per_minute: int
    routes: tuple[Route, ...]
    """Envoy's, of its webhooks."""


def parse_part(document: Mapping[str, Any]) -> Part:
    """From a ConfigMap. KeyError, TypeError or ValueError where it isn't what the program writes:
    nothing of it is served then."""
    tenant = document["metadata"]["labels"][OWNER_LABEL]
    found = json.loads(document["data"][PART_KEY])
    hooks = tuple(_hook(tenant, name, each) for name, each in sorted(found["hooks"].items()))
    router = found["router"] or {"ports": [], "per_minute": 0}
    paths = {hook.path for hook in hooks}
    for route in found["routes"]:
        if route["match"]["path"] not in paths:
            raise ValueError("a route that belongs to none of its webhooks")
    return Part(
        tenant=tenant,
        hooks=hooks,
        ports=frozenset(map(int, router["ports"])),
        per_minute=int(router["per_minute"]),
        routes=tuple(found["routes"]),
    )


def _hook(tenant: str, name: str, found: Mapping[str, Any]) -> Hook:
    hook = Hook(
        tenant=tenant,
        name=name,
        path=found["path"],
        methods=frozenset(found["methods"]),
        scheme=found["scheme"],
        header=found["header"],
        secret=found["secret"],
        body_limit=int(found["body_limit"]),
        per_minute=int(found["per_minute"]),
        agent_class=found["class"],
        port=int(found["port"]),
    )
    if not hook.path.startswith(f"/{tenant}/"):
        raise ValueError(f"{name} isn't below its tenant's name")
    if hook.scheme not in SCHEMES:
        raise ValueError(f"{name} has a scheme that isn't known")
    return hook
