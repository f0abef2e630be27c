"""A tenant's part of the egress: its addresses, and what gateway and resolver know of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from components.documents import Document, metadata
from components.network.egress.place import EgressPlace
from components.network.egress.pods import part_labels
from components.network.gateway.envoy import Config
from components.network.gateway.parts import Part, shared_part, tenant_part
from components.network.gateway.ports import SERVICE_PORTS, doors
from components.network.gateway.routes import tenant_scope
from components.network.gateway.upstream import WayOut
from components.network.packages.door import mirror_part
from components.network.policies.places import EGRESS_NAMESPACE, GATEWAY, RESOLVER
from corral.policy.steering import TENANT_LABEL
from corral.settings.egress import Egress

PART_LABEL = "egress.corral.dev/part"
"""On ConfigMaps: whose part of the egress they hold. The control plane goes by it."""
PART_KEY, COREFILE_KEY = "part.json", "resolver.corefile"
SHARED = "shared"

DNS_PORT = 53


def gateway_service(tenant: str) -> str:
    """Name of the tenant's Service at the gateway."""
    return f"gateway-{tenant}"


def resolver_service(tenant: str) -> str:
    """Name of the tenant's Service at the resolver."""
    return f"resolver-{tenant}"


def service_documents(tenant: str, egress: Egress) -> tuple[Document, Document]:
    """The tenant's addresses: at the gateway, and at the resolver. They stay as long as it has an
    egress; which ports they lead to is who it is."""
    mine = doors(egress.number)
    targets = {"tls": mine.tls, "plain": mine.proxy, "connect": mine.proxy}
    at_gateway = [_port(name, port, targets[name], "TCP") for name, port in SERVICE_PORTS.items()]
    at_resolver = [
        _port("dns", DNS_PORT, mine.dns, "UDP"),
        _port("dns-tcp", DNS_PORT, mine.dns, "TCP"),
    ]
    return (
        _service(gateway_service(tenant), tenant, GATEWAY, at_gateway),
        _service(resolver_service(tenant), tenant, RESOLVER, at_resolver),
    )


def part_document(owner: str, part: Part, corefile: object = None) -> Document:
    """The ConfigMap that the control plane reads. `corefile` is text, perhaps not known yet."""
    data: dict[str, object] = {PART_KEY: json.dumps(part.as_document(), separators=(",", ":"))}
    if corefile is not None:
        data[COREFILE_KEY] = corefile
    labels = {PART_LABEL: owner}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(f"egress-{owner}", namespace=EGRESS_NAMESPACE, labels=labels),
        "data": data,
    }


def shared_part_document(place: EgressPlace) -> Document:
    """What all tenants share."""
    return part_document(SHARED, shared_part(place.ways))


def part_of(tenant: str, egress: Egress, place: EgressPlace) -> Part:
    """What the tenant adds: names on its list leave to the internet, those of the platform's owner
    by ways of their own."""
    way, *private = place.ways
    owners = {each.host: own for own, each in zip(private, place.private.values(), strict=True)}
    part = tenant_part(tenant, _only(egress, owners, None), way=way)
    more = [
        host for own in private for host in _private_hosts(tenant, _only(egress, owners, own), own)
    ]
    if more:
        (scope,) = part.scopes
        routes = scope["route_configuration"]
        hosts = [*routes["virtual_hosts"], *more]
        scope = {**scope, "route_configuration": {**routes, "virtual_hosts": hosts}}
        part = replace(part, scopes=[scope])
    return part.joined(mirror_part(tenant, egress, way=way))


def inspects(egress: Egress) -> bool:
    """Whether some TLS of the tenant ends in the gateway: then its sandboxes must trust that."""
    return any(each.inspect is not None for each in egress.allow)


def _only(egress: Egress, owners: Mapping[str, WayOut], way: WayOut | None) -> Egress:
    allow = tuple(each for each in egress.allow if owners.get(each.host) is way)
    return egress.model_copy(update={"allow": allow})


def _private_hosts(tenant: str, egress: Egress, way: WayOut) -> list[Config]:
    scope = tenant_scope(tenant, egress, way=way)
    hosts = scope["route_configuration"]["virtual_hosts"]
    return [{**host, "name": f"{way.name}-{host['name']}"} for host in hosts]


def _service(name: str, tenant: str, where: str, ports: list[Document]) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            **metadata(name, namespace=EGRESS_NAMESPACE, labels={TENANT_LABEL: tenant}),
            # Whether somebody answers there is the gateway's matter, and not waited for here.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        "spec": {"type": "ClusterIP", "selector": part_labels(where), "ports": ports},
    }


def _port(name: str, port: int, target: int, protocol: str) -> Document:
    return {"name": name, "port": port, "targetPort": target, "protocol": protocol}
