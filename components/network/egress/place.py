"""What the egress has to know of the stack that it is in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from components.isolation.node_labels import PURPOSE_LABEL, pool_purpose
from components.network.gateway.upstream import WayOut, public_way
from components.network.policies.fences import Beyond
from components.network.policies.refused import ClusterRanges
from components.versions import ENVOY_IMAGE, NGINX_IMAGE
from corral.settings.aws.cidrs import PRIVATE_RANGES, service_network
from corral.settings.cluster import EksCluster
from corral.settings.network import calico_of, egress_gateways_of
from corral.settings.observability import NAMESPACE
from corral.settings.platform_egress import PlatformEgress, PrivateHost, dns_servers, egress_asked
from corral.settings.stack import Settings

DNS_PORT = 53
TWICE = 2

UNBUILT = "registry.invalid/corral/{name}:none"
"""Where nothing is pulled: on the embedded cluster's simulated nodes."""


@dataclass(frozen=True, kw_only=True)
class EgressPlace:
    """The shared way out, with everything that follows from the rest of the stack."""

    egress: PlatformEgress
    servers: tuple[str, ...]
    """DNS servers that gateways ask."""
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The cluster's own networks, by what they are."""
    calico: bool
    """Whether the stack has Calico: else Kubernetes' own policies are all there is."""
    names: bool = False
    """Whether policies speak of names too (Calico Enterprise)."""
    gateways: bool = False
    """Whether Envoy's connections leave by Calico Enterprise's egress gateways."""
    nodes: int = 0
    """Nodes that are there for gateways alone; none where they share the platform's."""
    metrics_readers: str = ""
    """The namespace whose pods read figures; nobody when empty."""

    @property
    def ways(self) -> tuple[WayOut, ...]:
        """To the internet, and to each host of the platform's owner."""
        servers = [f"{server}:{DNS_PORT}" for server in self.servers]
        own = [network for networks in self.networks.values() for network in networks]
        return (
            public_way(servers, own),
            *(private_way_of(name, each, servers) for name, each in self.private.items()),
        )

    @property
    def private(self) -> Mapping[str, PrivateHost]:
        """Hosts of the platform's owner, by name."""
        return self.egress.private

    @property
    def ranges(self) -> ClusterRanges:
        """The cluster's own networks, as policies refuse them."""
        return ClusterRanges(networks=self.networks)

    @property
    def beyond(self) -> Beyond:
        """What gateways and their control plane may reach besides the internet."""
        return Beyond(
            dns=self.servers,
            private={name: (each.networks, each.ports) for name, each in self.private.items()},
            metrics_readers=self.metrics_readers,
            api_server=self.egress.api_servers or tuple(map(str, PRIVATE_RANGES)),
        )

    @property
    def most_replicas(self) -> int:
        """Gateways at most."""
        return self.egress.most_replicas or self.nodes or self.egress.replicas * TWICE

    @property
    def node_selector(self) -> dict[str, str]:
        """Of the nodes that gateways are on."""
        return {PURPOSE_LABEL: "egress-gateway"} if self.nodes else {}

    @property
    def control_image(self) -> str:
        """Of the control plane, and of the program beside each resolver."""
        return self.egress.images.control or UNBUILT.format(name="egress-control")

    @property
    def resolver_image(self) -> str:
        """Of resolvers."""
        return self.egress.images.resolver or UNBUILT.format(name="resolver")

    @property
    def envoy_image(self) -> str:
        """Of gateways."""
        return self.egress.images.envoy or ENVOY_IMAGE

    @property
    def nginx_image(self) -> str:
        """Of tenants' package mirrors."""
        return self.egress.images.nginx or NGINX_IMAGE


def egress_place(settings: Settings) -> EgressPlace | None:
    """The stack's; None where no tenant has a way out and none is asked for."""
    egress = egress_asked(settings.network.egress, settings.tenants)
    if egress is None:
        return None
    calico = calico_of(settings.network, settings.cluster)
    return EgressPlace(
        egress=egress,
        servers=dns_servers(egress, settings.aws),
        networks=dict(_networks(settings)),
        calico=calico is not None,
        names=calico is not None and calico.edition == "enterprise",
        gateways=egress_gateways_of(settings.network, settings.cluster, settings.tenants)
        is not None,
        nodes=sum(pool.nodes for pool in settings.pools.values() if pool_purpose(pool)),
        metrics_readers="" if settings.observability is None else NAMESPACE,
    )


def calico_dns(settings: Settings) -> tuple[str, ...]:
    """Whose answers tell Calico which addresses a name has: those that gateways ask. None where
    nothing leaves."""
    egress = egress_asked(settings.network.egress, settings.tenants)
    return () if egress is None else dns_servers(egress, settings.aws)


def private_way_of(name: str, host: PrivateHost, servers: list[str]) -> WayOut:
    """To one host of the platform's owner: of no name is an address taken that is another's."""
    return WayOut(name=f"private-{name}", servers=servers, only=host.networks)


def _networks(settings: Settings) -> Iterable[tuple[str, tuple[str, ...]]]:
    calico = calico_of(settings.network, settings.cluster)
    if settings.aws is not None and isinstance(settings.cluster, EksCluster):
        vpc = settings.aws.network.cidr
        yield "nodes", (vpc,)
        yield "services", (service_network(IPv4Network(vpc)),)
    if calico is not None and calico.mode == "overlay":
        yield "pods", (calico.pods,)
    if settings.network.egress is not None:
        for name, networks in settings.network.egress.refuse.items():
            yield f"refused-{name}", networks
