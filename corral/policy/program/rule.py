"""Rules about registered resources."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from corral.policy.program.resource import Plan, Resource
from corral.policy.rule import Explained, Offence


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceRule(Explained):
    """A rule that one resource alone keeps or breaks."""

    offences: Callable[[Resource], Iterable[Offence]]
    needs_secrecy: bool = False
    """Whether it must see what is secret: Pulumi hands secrets to policies as plain values."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRule(Explained):
    """A rule about several resources; each offence is told at the resource that it is about."""

    offences: Callable[[Plan], Iterable[tuple[Resource, Offence]]]
