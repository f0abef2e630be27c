"""Tenants: whose agents run, how many, and who may watch or start them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from corral.settings.quantities import Bytes, parse_bytes
from corral.settings.strict import Name, Strict
from corral.settings.tiers import Tier

NAMESPACE_PREFIX = "agents-"


class Volumes(Strict):
    """Persistent volumes that a tenant may claim."""

    count: Annotated[int, Field(ge=0, le=5000)] = 0
    storage: Bytes = parse_bytes("1Gi")
    """All of them together."""


class Orchestrator(Strict):
    """Who starts the tenant's sandboxes: its ServiceAccount `orchestrator`, and these groups."""

    groups: tuple[str, ...] = Field(default=(), strict=False)
    exec: bool = False
    """Whether it may open a shell in a sandbox (pods/exec)."""


class Tenant(Strict):
    """One team or customer: one namespace, `agents-<name>`."""

    tier: Annotated[Tier, Field(strict=False)]
    """The weakest isolation that its agents may run on."""
    agents: dict[Name, Annotated[int, Field(ge=1, le=5000)]] = Field(min_length=1)
    """Most sandboxes at once, per agent class; its quota follows from it."""
    volumes: Volumes = Volumes()
    orchestrator: Orchestrator = Orchestrator()
    readers: tuple[str, ...] = Field(default=(), strict=False)
    """Groups of people who may look at sandboxes and their logs, and change nothing."""
