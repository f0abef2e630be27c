"""The network of a cluster on AWS: one that the stack makes, or one that is there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from corral.settings.aws.texts import Cidr, SubnetId, VpcId, ZoneLetter
from corral.settings.strict import Strict


class NewNetwork(Strict):
    """A VPC of the stack's own: public, private and isolated subnets in each zone."""

    kind: Literal["new"]
    """It is created and deleted with the stack."""
    cidr: Cidr
    """Its addresses: /16 to /20. Half of them are left for growth."""
    zones: Annotated[tuple[ZoneLetter, ...], Field(min_length=2, max_length=3, strict=False)]
    """Two or three zones, by letter: EKS' API server is in two. A pool may be in one of them."""
    nat: Literal["per-zone", "single"] = "per-zone"
    """NAT gateways: one in each zone, or one for all. Their addresses are fixed: they are what
    customers put on their allowlists."""
    peers: tuple[Cidr, ...] = Field(default=(), strict=False)
    """Networks that it must not overlap: peered VPCs, offices, VPNs."""
    flow_log_days: Annotated[
        Literal[1, 3, 5, 7, 14, 30, 60, 90, 180, 365], Field(alias="flow-log-days")
    ] = 90
    """How long flow logs are kept."""


class ExistingNetwork(Strict):
    """A VPC that is there already: a customer's, or a central team's. Nothing in it is changed but
    what the cluster itself adds; routes, NAT and endpoints are its owner's."""

    kind: Literal["existing"]
    """It is never created or deleted by the stack."""
    vpc_id: Annotated[VpcId, Field(alias="vpc-id")]
    """The VPC."""
    cidr: Cidr
    """Its addresses: what may reach the API server's private endpoint."""
    private_subnets: Annotated[
        dict[ZoneLetter, SubnetId], Field(alias="private-subnets", min_length=2, max_length=3)
    ]
    """Subnets for nodes and the control plane's interfaces, by the letter of their zone. They
    reach AWS' services and the registries by NAT or endpoints of their own."""

    @property
    def zones(self) -> tuple[str, ...]:
        """The letters of its zones, in order."""
        return tuple(sorted(self.private_subnets))


Network = Annotated[NewNetwork | ExistingNetwork, Field(discriminator="kind")]
