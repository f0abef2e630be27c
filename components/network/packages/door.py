"""The mirror's way out: a door of its own at the gateway, whose list is the registries."""

from __future__ import annotations

from components.network.gateway.doors import registries_door
from components.network.gateway.parts import Part
from components.network.gateway.ports import EVERY_ADDRESS
from components.network.gateway.routes import tenant_scope
from components.network.gateway.upstream import WayOut
from components.network.packages.registries import hosts
from corral.settings.egress import Destination, Egress


def mirror_identity(tenant: str) -> str:
    """Who the tenant's mirror is at the gateway: no tenant can be called so."""
    return f"{tenant}.packages"


def mirror_part(
    tenant: str,
    egress: Egress,
    *,
    way: WayOut,
    generation: str = "1",
    address: str = EVERY_ADDRESS,
) -> Part:
    """What the mirror adds to its tenant's part: nothing without one."""
    if egress.packages is None:
        return Part(listeners=[], clusters=[])
    identity = mirror_identity(tenant)
    names = tuple(Destination(host=host) for host in hosts(egress.packages.registries))
    scope = tenant_scope(identity, egress.model_copy(update={"allow": names}), way=way)
    routes = scope["route_configuration"]
    # A name that only the tenant's own list loses is seen to be gone from that one.
    named = [{**host, "name": f"packages-{host['name']}"} for host in routes["virtual_hosts"]]
    return Part(
        listeners=[
            registries_door(
                identity,
                number=egress.number,
                limits=egress.limits,
                generation=generation,
                address=address,
            )
        ],
        clusters=[],
        scopes=[{**scope, "route_configuration": {**routes, "virtual_hosts": named}}],
    )
