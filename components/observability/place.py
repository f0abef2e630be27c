"""What observability has to know of the stack that it is in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from components.aws.policies import key_alias
from components.isolation.node_labels import is_system
from components.network.egress.place import EgressPlace, egress_place
from components.network.inbound.place import InboundPlace, inbound_place
from corral.settings.aws.cidrs import PRIVATE_RANGES
from corral.settings.classes import AgentClass
from corral.settings.cluster import Cluster, EksCluster
from corral.settings.network import calico_of
from corral.settings.observability import Observability
from corral.settings.pools import AnyPool
from corral.settings.stack import Settings
from corral.settings.tenants import Tenant
from corral.settings.tiers import Tier


@dataclass(frozen=True, kw_only=True)
class ObservabilityPlace:
    """The settings of observability, with everything that follows from the rest of the stack."""

    observability: Observability
    cluster: Cluster
    pools: Mapping[str, AnyPool]
    classes: Mapping[str, AgentClass]
    tenants: Mapping[str, Tenant] = field(default_factory=dict)
    calico: bool
    """Whether the stack has Calico: else Kubernetes' own policies are all there is."""
    egress: EgressPlace | None = None
    """The shared way out; None where no tenant has one."""
    inbound: InboundPlace | None = None
    """The shared way in; None where the stack has no door."""
    nodes: tuple[str, ...] = ()
    """Networks that nodes have addresses in; none where we don't know them."""
    api_server: tuple[str, ...] = ()
    """Networks that the API server has addresses in."""
    chart_source: str | None = None
    """Where charts come from, as `chart_location` takes it."""
    region: str = ""
    """On AWS."""
    prices: Mapping[str, float] = field(default_factory=dict)
    """What an hour of an instance type costs, where the stack knows better than the list."""
    volumes_key: str = ""
    """The key that encrypts volumes on EKS; "" elsewhere."""

    @property
    def eks(self) -> bool:
        """Whether the control plane is Amazon's: most of it can't be scraped there."""
        return isinstance(self.cluster, EksCluster)

    @property
    def tiers(self) -> frozenset[Tier]:
        """Tiers that the stack's pools serve."""
        return frozenset(pool.tier for pool in self.pools.values() if pool.tier is not None)

    @property
    def class_tiers(self) -> Mapping[str, Tier]:
        """The tier of each agent class."""
        return {name: agent.tier for name, agent in self.classes.items()}

    @property
    def system_pools(self) -> tuple[str, ...]:
        """Pools that run the platform itself."""
        return tuple(name for name, pool in self.pools.items() if is_system(pool))


def observability_place(settings: Settings) -> ObservabilityPlace | None:
    """The stack's; None where it is observed by nothing."""
    if settings.observability is None:
        return None
    egress = egress_place(settings)
    nodes = () if settings.aws is None else (settings.aws.network.cidr,)
    return ObservabilityPlace(
        observability=settings.observability,
        cluster=settings.cluster,
        pools=settings.pools,
        classes=settings.classes,
        tenants=settings.tenants,
        calico=calico_of(settings.network, settings.cluster) is not None,
        egress=egress,
        inbound=inbound_place(settings, egress),
        nodes=nodes,
        api_server=nodes or _api_servers(egress),
        chart_source=settings.charts.source,
        region=settings.aws.region if settings.aws else "",
        prices=settings.aws.prices if settings.aws else {},
        volumes_key=_volumes_key(settings),
    )


def _api_servers(egress: EgressPlace | None) -> tuple[str, ...]:
    """Those that the stack names, or any private address."""
    return tuple(map(str, PRIVATE_RANGES)) if egress is None else tuple(egress.beyond.api_server)


def _volumes_key(settings: Settings) -> str:
    aws, cluster = settings.aws, settings.cluster
    if aws is None or not isinstance(cluster, EksCluster):
        return ""
    return key_alias(aws.account_id, aws.region, cluster.name, "volumes")
