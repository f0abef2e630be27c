"""The way out that all tenants share: gateways, resolvers and what tells them what to do."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from corral.settings.aws.account import Aws
from corral.settings.aws.texts import Cidr
from corral.settings.egress import Port
from corral.settings.hosts import Host
from corral.settings.problems import Expected, NotAllowedError
from corral.settings.runtimes import Image
from corral.settings.strict import Name, Strict

if TYPE_CHECKING:
    from corral.settings.tenants import Tenant

FEWEST_REPLICAS = 2


def _server(value: str) -> str:
    try:
        address = IPv4Address(value)
    except ValueError:
        raise NotAllowedError(
            rule="the IPv4 address of a DNS server, alone",
            fix="write its address, such as 10.0.0.2: nothing could look its name up",
        ) from None
    if address.is_loopback or address.is_link_local or address.is_multicast or not int(address):
        raise NotAllowedError(
            rule="a DNS server that gateways reach over the network; they send nothing to "
            "loopback, link-local (169.254.…) and multicast addresses",
            fix="write the server's own address; in a VPC it is the network's first one plus two",
        )
    return value


Server = Annotated[
    str, AfterValidator(_server), Expected("the IPv4 address of a DNS server, such as 10.0.0.2")
]


Networks = Annotated[tuple[Cidr, ...], Field(strict=False, min_length=1)]


class PrivateHost(Strict):
    """A host of the platform's owner on a private network, such as a package mirror: the only one
    of its kind that gateways reach, and only for tenants whose lists name it."""

    host: Host
    """Its name, as tenants' lists have it."""
    networks: Networks
    """Where it is: no other address is taken for that name."""
    ports: tuple[Port, ...] = Field(default=(443,), strict=False, min_length=1)
    """Its ports. It speaks TLS on them."""


class EgressImages(Strict):
    """Images that gateways, resolvers and their control plane are started from."""

    control: Image | None = None
    """The control plane, built from images/control/Dockerfile and kept in a registry of yours."""
    resolver: Image | None = None
    """The resolver, built from images/resolver/Dockerfile and kept in a registry of yours."""
    envoy: Image | None = None
    """The gateway: Envoy's own image of the release that corral knows, when left out."""
    nginx: Image | None = None
    """Package mirrors: nginx' own image of the release that corral knows, when left out."""


class PlatformEgress(Strict):
    """Gateways and resolvers. They are there where this is said, or a tenant has `egress`."""

    replicas: Annotated[int, Field(ge=FEWEST_REPLICAS, le=50)] = FEWEST_REPLICAS
    """Gateways at least, each on a node of its own where there are enough."""
    most_replicas: Annotated[
        int | None, Field(ge=FEWEST_REPLICAS, le=50, alias="most-replicas")
    ] = None
    """Gateways at most, by their CPU; twice the fewest when left out, or as many as the nodes of a
    pool of purpose egress-gateway can hold."""
    dns: tuple[Server, ...] = Field(default=(), strict=False)
    """DNS servers that gateways ask. On EKS the VPC's own when left out; required elsewhere."""
    private: dict[Name, PrivateHost] = Field(default_factory=dict)
    """Hosts on private networks that tenants may be allowed to reach, by any name."""
    api_servers: tuple[Cidr, ...] = Field(default=(), strict=False, alias="api-servers")
    """Where the API server is, on a cluster without Calico: the egress' control plane reaches that
    and nothing else. All private networks when left out, by the API server's ports."""
    refuse: dict[Name, Networks] = Field(default_factory=dict)
    """Further networks that no gateway and no sandbox may reach, by what they are."""
    trial: dict[Name, Networks] = Field(default_factory=dict)
    """Networks that `refuse` may hold one day: until then flow logs tell who would miss them, and
    nothing is denied. With Calico alone."""
    images: EgressImages = EgressImages()
    """Where their images come from."""


def egress_asked(
    own: PlatformEgress | None, tenants: Mapping[str, Tenant]
) -> PlatformEgress | None:
    """The shared way out; None where nobody asks for one."""
    if own is None and any(tenant.egress is not None for tenant in tenants.values()):
        return PlatformEgress()
    return own


def dns_servers(egress: PlatformEgress, aws: Aws | None) -> tuple[str, ...]:
    """Addresses that gateways ask for names: those that are said, or the VPC's own server."""
    if egress.dns or aws is None:
        return egress.dns
    # https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
    return (str(IPv4Network(aws.network.cidr).network_address + 2),)
