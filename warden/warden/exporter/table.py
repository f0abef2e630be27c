"""What the platform says of classes and tenants: the only names that become labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

OTHER = "other"
"""Stands for every tenant and class that the platform doesn't know."""


@dataclass(frozen=True, kw_only=True)
class AgentClass:
    """One agent class, as far as figures need it."""

    max_age: float
    """Seconds."""
    cost: float | None
    """US dollars for an hour of one sandbox, an estimate; None where nobody knows a price."""
    leak: float
    """Share of its memory that an agent may grow by in an hour."""
    leak_hours: float
    """For how long it must have grown so."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Agent classes by name, and which of them each tenant has."""

    classes: Mapping[str, AgentClass]
    tenants: Mapping[str, tuple[str, ...]]

    def tenant(self, name: str) -> str:
        """The name, or `other`."""
        return name if name in self.tenants else OTHER

    def agent_class(self, name: str) -> str:
        """The name, or `other`."""
        return name if name in self.classes else OTHER


def parse_table(text: str) -> Table:
    """From the platform's file; ValueError, KeyError or TypeError where it is none."""
    document = json.loads(text)
    return Table(
        classes={
            name: AgentClass(
                max_age=float(each["max-age-seconds"]),
                cost=None if each["usd-per-hour"] is None else float(each["usd-per-hour"]),
                leak=float(each["leak-per-hour"]),
                leak_hours=float(each["leak-hours"]),
            )
            for name, each in document["classes"].items()
        },
        tenants={name: tuple(classes) for name, classes in document["tenants"].items()},
    )
