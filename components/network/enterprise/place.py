"""What gateways with addresses of their own have to know of the account that they are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class ZoneSubnet:
    """Where a zone's gateways get their addresses: the subnet's id, and its network."""

    subnet: pulumi.Input[str]
    network: str


@dataclass(frozen=True, kw_only=True)
class GatewayPlace:
    """Gateways over zones, with what was made for them in AWS."""

    replicas: int
    subnets: Mapping[str, ZoneSubnet]
    """By the names of zones."""
    elastic_ips: Sequence[pulumi.Input[str]]
    """Public addresses."""
    probes: Sequence[str] = ()
    """What gateways ask for, to know that they reach the internet."""
