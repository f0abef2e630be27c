"""All settings of one stack, and what must hold between them."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from corral.settings.admission import Admission
from corral.settings.aws.account import Aws
from corral.settings.aws.bounds import bound_pools
from corral.settings.aws.contradictions import aws_contradictions
from corral.settings.aws.room import eks_pools, room_contradictions
from corral.settings.charts import Charts
from corral.settings.classes import AgentClass
from corral.settings.cluster import Cluster
from corral.settings.confidential_contradictions import confidential_contradictions
from corral.settings.contradictions import ContradictionError, contradictions
from corral.settings.egress_contradictions import egress_contradictions
from corral.settings.enterprise_contradictions import enterprise_contradictions
from corral.settings.exporter import exporter_contradictions
from corral.settings.inbound_contradictions import inbound_contradictions
from corral.settings.layers import Stacks
from corral.settings.logs import logs_contradictions
from corral.settings.network import ClusterNetwork, pod_network_of
from corral.settings.network_contradictions import network_contradictions
from corral.settings.observability import Observability
from corral.settings.observability_contradictions import observability_contradictions
from corral.settings.pools import Pool
from corral.settings.runtime_contradictions import runtime_contradictions
from corral.settings.runtime_security import runtime_security_contradictions
from corral.settings.runtimes import Runtimes
from corral.settings.strict import Name, Strict
from corral.settings.tenants import Tenant
from corral.settings.threshold_contradictions import threshold_contradictions
from corral.settings.workspace_contradictions import workspace_contradictions


class Settings(Strict):
    """The value of `corral:settings` in a stack file."""

    layers: Stacks = "together"
    """How the platform is divided among stacks: `together` in one, which suits most; or `separate`,
    as `<stack>-foundation` (account, network, cluster, nodes), `<stack>-platform` (isolation and
    admission) and `<stack>-tenants`: then adding a tenant never opens the cluster's state."""
    cluster: Cluster
    """Which cluster the platform goes on."""
    aws: Aws | None = None
    """The AWS account that the cluster is in: with cluster kind `eks`, and only there."""
    network: ClusterNetwork = ClusterNetwork()
    """What the cluster's pods are connected by."""
    pools: dict[Name, Pool] = Field(min_length=1)
    """Node pools, by name."""
    classes: dict[Name, AgentClass] = Field(min_length=1)
    """Agent classes, by name."""
    tenants: dict[Name, Tenant] = Field(default_factory=dict)
    """Tenants, by name."""
    admission: Admission = Admission()
    """Stack-wide choices for the admission policies."""
    charts: Charts = Charts()
    """Where third-party charts come from."""
    runtimes: Runtimes = Runtimes()
    """Where nodes get their runtimes."""
    observability: Observability | None = None
    """What the stack is observed by. Left out, nothing."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        pod_network = pod_network_of(self.network)
        if self.aws is not None:
            bound_pools(
                eks_pools(self.pools),
                self.classes,
                self.tenants,
                len(self.aws.network.zones),
                pod_network,
            )
        found = aws_contradictions(
            cluster=self.cluster,
            aws=self.aws,
            pools=self.pools,
            classes=self.classes,
            network=pod_network,
        )
        found += network_contradictions(
            cluster=self.cluster,
            network=self.network,
            aws=self.aws,
            pools=self.pools,
            classes=self.classes,
        )
        found += enterprise_contradictions(
            cluster=self.cluster,
            network=self.network,
            aws=self.aws,
            pools=eks_pools(self.pools),
            tenants=self.tenants,
        )
        found += egress_contradictions(
            cluster=self.cluster,
            network=self.network,
            aws=self.aws,
            pools=self.pools,
            tenants=self.tenants,
        )
        found += inbound_contradictions(
            cluster=self.cluster, network=self.network, tenants=self.tenants
        )
        found += runtime_contradictions(
            cluster=self.cluster, runtimes=self.runtimes, pools=self.pools
        )
        found += runtime_security_contradictions(
            self.observability.runtime_security if self.observability else None,
            cluster=self.cluster,
            classes=self.classes,
            pools=self.pools,
            control=self.network.egress.images.control if self.network.egress else None,
        )
        found += logs_contradictions(
            self.observability.logs if self.observability else None, cluster=self.cluster
        )
        found += exporter_contradictions(
            self.observability,
            cluster=self.cluster,
            control=self.network.egress.images.control if self.network.egress else None,
        )
        found += confidential_contradictions(
            pools=self.pools, classes=self.classes, tenants=self.tenants
        )
        found += workspace_contradictions(
            cluster=self.cluster, pools=self.pools, classes=self.classes
        )
        found += threshold_contradictions(observability=self.observability, classes=self.classes)
        found += observability_contradictions(
            observability=self.observability,
            cluster=self.cluster,
            pools={} if found else self.pools,
            tenants=self.tenants,
        )
        found += contradictions(
            # Pools on machines that there aren't have no figures to judge by.
            pools=None if found else self.pools,
            classes=self.classes,
            tenants=self.tenants,
        )
        if not found:
            found = [
                *room_contradictions(eks_pools(self.pools), self.classes, self.tenants, pod_network)
            ]
        if found:
            raise ContradictionError(found)
        return self
