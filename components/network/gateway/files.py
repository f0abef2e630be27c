"""The gateway's files: what all tenants share, and what each tenant adds to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from components.network.gateway.bootstrap import (
    CLUSTERS_FILE,
    LISTENERS_FILE,
    shared_clusters,
    shared_listeners,
)
from components.network.gateway.decision import SCOPES_FILE
from components.network.gateway.doors import tenant_doors
from components.network.gateway.envoy import Config, resources
from components.network.gateway.inspection import inspection_clusters, inspection_listeners
from components.network.gateway.ports import EVERY_ADDRESS
from components.network.gateway.routes import tenant_scope
from components.network.gateway.upstream import WayOut
from corral.settings.egress import Egress


@dataclass(frozen=True, kw_only=True)
class Part:
    """Resources of one tenant, or those that all share; each by its kind."""

    listeners: Sequence[Config]
    clusters: Sequence[Config]
    scopes: Sequence[Config] = ()

    def as_document(self) -> Config:
        """As JSON, the way the gateway's agent reads it."""
        return {
            "listeners": list(self.listeners),
            "clusters": list(self.clusters),
            "scopes": list(self.scopes),
        }


def shared_part(folder: str, ways: Sequence[WayOut]) -> Part:
    """What all tenants share. The first way out is that of tenants' lists."""
    return Part(listeners=shared_listeners(folder, ways), clusters=shared_clusters(ways))


def tenant_part(
    tenant: str,
    egress: Egress,
    *,
    way: WayOut,
    folder: str,
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
            *inspection_listeners(tenant, egress, way=way, folder=folder),
        ],
        clusters=inspection_clusters(tenant, egress),
        scopes=[tenant_scope(tenant, egress, way=way)],
    )


def gateway_files(parts: Iterable[Part]) -> dict[str, str]:
    """Envoy's files by name, from all parts."""
    parts = list(parts)
    return {
        LISTENERS_FILE: _text(
            "envoy.config.listener.v3.Listener", [each for part in parts for each in part.listeners]
        ),
        CLUSTERS_FILE: _text(
            "envoy.config.cluster.v3.Cluster", [each for part in parts for each in part.clusters]
        ),
        SCOPES_FILE: _text(
            "envoy.config.route.v3.ScopedRouteConfiguration",
            [each for part in parts for each in part.scopes],
        ),
    }


def _text(message: str, found: list[Config]) -> str:
    version = hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16]
    return json.dumps(resources(message, found, version=version))
