"""What one sandbox takes out of its tenant's quota."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

from corral.settings.capacity import sandbox_room
from corral.settings.classes import AgentClass


@dataclass(frozen=True, kw_only=True)
class Use:
    """Millicores and bytes, as quotas count them: requests and limits with the pod's overhead."""

    requests_cpu: int = 0
    limits_cpu: int = 0
    requests_memory: int = 0
    limits_memory: int = 0
    disk: int = 0
    """Ephemeral storage, requested in full: what is set aside is what a sandbox may fill."""

    def __mul__(self, count: int) -> Use:
        return Use(**{field.name: getattr(self, field.name) * count for field in fields(self)})

    @classmethod
    def total(cls, uses: Iterable[Use]) -> Self:
        """All of them together."""
        found = list(uses)
        names = [field.name for field in fields(cls)]
        return cls(**{name: sum(getattr(use, name) for use in found) for name in names})


def sandbox_use(agent_class: AgentClass) -> Use:
    """What one sandbox of a class takes at most."""
    runtime, room = agent_class.served_by, sandbox_room(agent_class)
    return Use(
        requests_cpu=room.cpu,
        limits_cpu=agent_class.limits.cpu + runtime.overhead_cpu,
        requests_memory=room.memory,
        limits_memory=agent_class.limits.memory + runtime.overhead_memory,
        disk=room.disk,
    )
