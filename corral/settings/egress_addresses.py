"""Fixed addresses for what leaves the cluster, by Calico Enterprise's own egress gateways."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from corral.settings.aws.texts import Cidr, SubnetId, ZoneLetter
from corral.settings.problems import Expected
from corral.settings.strict import Strict

if TYPE_CHECKING:
    from corral.settings.aws.pools import EksPool

PROBE_PATTERN = r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$"
FEWEST, MOST = 2, 60

SURGE = 4
"""Of that many gateways one more runs while they are replaced (a Deployment's own quarter)."""


class AddressSubnet(Strict):
    """A subnet of one zone that is there for these addresses alone."""

    subnet: SubnetId
    """Its id. Its default route leads to an internet gateway, and nothing else gets addresses in
    it."""
    network: Cidr
    """Its addresses."""


class EgressGateways(Strict):
    """Egress gateways of Calico Enterprise: what Envoy sends to the internet leaves by one of them,
    with an Elastic IP. They are there with edition enterprise on EKS as soon as a tenant has
    egress."""

    replicas: Annotated[int, Field(ge=FEWEST, le=MOST)] | None = None
    """Gateways, evenly over zones; one in each zone when left out. Each takes a network interface
    of its node."""
    elastic_ips: Annotated[
        Annotated[int, Field(ge=FEWEST, le=2 * MOST)] | None, Field(alias="elastic-ips")
    ] = None
    """What others see: what customers put on their allowlists, all of them. A quarter more than
    gateways when left out, so that one that comes for another has an address beside it."""
    probes: tuple[
        Annotated[
            str,
            Field(pattern=PROBE_PATTERN, max_length=200),
            Expected("an address to ask, such as https://status.example.org/ready"),
        ],
        ...,
    ] = Field(default=(), strict=False, max_length=5)
    """What each gateway asks for again and again: one that reaches none of them gets no traffic.
    Without any, a gateway is gone when its pod or node is."""
    subnets: dict[ZoneLetter, AddressSubnet] = Field(default_factory=dict)
    """In a network that is there already: where gateways get their addresses, by zone. In a network
    of the stack's own they are made."""

    def count(self, zones: int) -> int:
        """Gateways over that many zones."""
        return zones if self.replicas is None else self.replicas

    def addresses(self, zones: int) -> int:
        """Elastic IPs for them."""
        count = self.count(zones)
        return count + ceil(count / SURGE) if self.elastic_ips is None else self.elastic_ips


def gateway_zones(pools: Mapping[str, EksPool], zones: tuple[str, ...]) -> tuple[str, ...]:
    """The network's zones in which there are nodes for gateways."""
    own = [pool for pool in pools.values() if pool.purpose == "egress-gateway"]
    return tuple(zone for zone in zones if any(zone in (pool.zones or zones) for pool in own))
