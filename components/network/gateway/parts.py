"""The gateway's configuration in parts: what all tenants share, and what each tenant adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from components.network.gateway.bootstrap import shared_clusters, shared_listeners
from components.network.gateway.doors import tenant_doors
from components.network.gateway.envoy import TYPES, Config
from components.network.gateway.inspection import inspection_clusters, inspection_listeners
from components.network.gateway.ports import EVERY_ADDRESS
from components.network.gateway.routes import tenant_scope
from components.network.gateway.upstream import WayOut
from corral.settings.egress import Egress

LISTENER = f"{TYPES}envoy.config.listener.v3.Listener"
CLUSTER = f"{TYPES}envoy.config.cluster.v3.Cluster"
SCOPE = f"{TYPES}envoy.config.route.v3.ScopedRouteConfiguration"


@dataclass(frozen=True, kw_only=True)
class Part:
    """Resources of one tenant, or those that all share; each by its kind."""

    listeners: Sequence[Config]
    clusters: Sequence[Config]
    scopes: Sequence[Config] = ()

    def joined(self, other: Part) -> Part:
        """Both as one."""
        return replace(
            self,
            listeners=[*self.listeners, *other.listeners],
            clusters=[*self.clusters, *other.clusters],
            scopes=[*self.scopes, *other.scopes],
        )

    def as_document(self) -> Config:
        """As the control plane reads it and hands it on: resources, by their type."""
        found = {LISTENER: self.listeners, CLUSTER: self.clusters, SCOPE: self.scopes}
        return {kind: [{"@type": kind, **each} for each in some] for kind, some in found.items()}


def shared_part(ways: Sequence[WayOut]) -> Part:
    """What all tenants share. The first way out is that of tenants' lists."""
    return Part(listeners=shared_listeners(ways), clusters=shared_clusters(ways))


def tenant_part(
    tenant: str,
    egress: Egress,
    *,
    way: WayOut,
    generation: str = "1",
    address: str = EVERY_ADDRESS,
) -> Part:
    """What one tenant adds."""
    return Part(
        listeners=[
            *tenant_doors(
                tenant,
                number=egress.number,
                limits=egress.limits,
                generation=generation,
                address=address,
            ),
            *inspection_listeners(tenant, egress, way=way),
        ],
        clusters=inspection_clusters(tenant, egress),
        scopes=[tenant_scope(tenant, egress, way=way)],
    )
