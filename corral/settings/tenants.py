"""Tenants: whose agents run, how many, and who may watch or start them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from corral.settings.egress import Egress
from corral.settings.inbound import Inbound
from corral.settings.quantities import Bytes
from corral.settings.strict import Group, Name, Strict
from corral.settings.tiers import Tier

NAMESPACE_PREFIX = "agents-"

RUNNING_AGENTS = "corral-running-agents"
"""The PodDisruptionBudget in each tenant's namespace: drains wait for its sandboxes."""

RESERVED_TENANTS = ("admission-probe",)
"""Names that corral's own namespaces carry in the tenant label."""


class Volumes(Strict):
    """Persistent volumes that a tenant may claim: none, or a count and a size."""

    count: Annotated[int, Field(ge=0, le=5000)] = 0
    """Most volumes at once."""
    storage: Bytes = 0
    """Most storage of all of them together; none where `count` is 0."""


class Orchestrator(Strict):
    """Who starts the tenant's sandboxes: its ServiceAccount `orchestrator`, and these groups."""

    groups: tuple[Group, ...] = Field(default=(), strict=False)
    """Groups that may claim sandboxes and read their logs."""
    exec: bool = False
    """Whether it may open a shell in a sandbox (pods/exec)."""


class Tenant(Strict):
    """One team or customer: one namespace, `agents-<name>`."""

    tier: Annotated[Tier, Field(strict=False)]
    """The weakest isolation that its agents may run on."""
    agents: dict[Name, Annotated[int, Field(ge=1, le=5000)]] = Field(min_length=1)
    """Most sandboxes at once, per agent class; its quota follows from it."""
    volumes: Volumes = Volumes()
    """Persistent volumes that it may claim."""
    orchestrator: Orchestrator = Orchestrator()
    """Who starts its sandboxes."""
    readers: tuple[Group, ...] = Field(default=(), strict=False)
    """Groups of people who may look at sandboxes and their logs, and change nothing."""
    egress: Egress | None = None
    """What its sandboxes may reach. Left out, nothing: neither names nor addresses."""
    inbound: Inbound | None = None
    """What may come in to its sandboxes. Left out, nothing."""
