"""Fixed addresses for what leaves the cluster, by Calico Enterprise's own egress gateways."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from corral.settings.aws.texts import Cidr
from corral.settings.problems import Expected, NotAllowedError
from corral.settings.strict import Strict

SUBNET_PATTERN = r"^subnet-[0-9a-f]{8,17}$"
ZONE_PATTERN = r"^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$"
PROBE_PATTERN = r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$"

UNUSABLE = 5
"""Of each subnet: the first four addresses are AWS' own, the last one is broadcast."""
FEWEST_ZONES = 2


def _public(value: str) -> str:
    try:
        address = IPv4Address(value)
    except ValueError:
        address = None
    if address is None or not address.is_global:
        raise NotAllowedError(
            rule="the public IPv4 address of an Elastic IP",
            fix="write the address that EC2 shows for it, not its allocation's id",
        )
    return value


ElasticIp = Annotated[
    str, AfterValidator(_public), Expected("the public IPv4 address of an Elastic IP")
]
ZoneName = Annotated[
    str, Field(pattern=ZONE_PATTERN), Expected("the name of a zone, such as eu-central-1a")
]


class AddressSubnet(Strict):
    """A subnet of one zone that is there for these addresses alone."""

    subnet: Annotated[
        str,
        Field(pattern=SUBNET_PATTERN),
        Expected("a subnet's id, such as subnet-0123456789abcdef0"),
    ]
    """Its id. It has a default route to an internet gateway, and nothing else gets addresses in
    it."""
    network: Cidr
    """Its addresses."""

    @model_validator(mode="after")
    def _room(self) -> Self:
        if IPv4Network(self.network).num_addresses <= UNUSABLE:
            raise ValueError(
                f"network: {self.network} has no address that could be used: AWS keeps {UNUSABLE}"
            )
        return self


class EgressAddresses(Strict):
    """Egress gateways of Calico Enterprise: what Envoy sends leaves by one of them."""

    subnets: dict[ZoneName, AddressSubnet] = Field(min_length=FEWEST_ZONES, max_length=6)
    """Where they get their addresses, by zone; at least two zones."""
    elastic_ips: Annotated[
        tuple[ElasticIp, ...], Field(strict=False, min_length=FEWEST_ZONES, max_length=60)
    ] = Field(alias="elastic-ips")
    """What others see. There are as many gateways as these."""
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

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if len(set(self.elastic_ips)) < len(self.elastic_ips):
            raise ValueError("elastic-ips: each stands there once")
        networks = [IPv4Network(each.network) for each in self.subnets.values()]
        for at, network in enumerate(networks):
            if any(network.overlaps(other) for other in networks[at + 1 :]):
                raise ValueError(f"subnets: {network} overlaps another one")
        room = sum(network.num_addresses - UNUSABLE for network in networks)
        if len(self.elastic_ips) > room:
            raise ValueError(
                f"elastic-ips: {len(self.elastic_ips)} gateways, and the subnets have {room} "
                "addresses for them"
            )
        return self
