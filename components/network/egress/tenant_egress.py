"""A tenant's part of the egress, registered with the tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.children import Children
from components.documents import Document
from components.network.egress.place import EgressPlace
from components.network.egress.tenant_documents import part_document, part_of, service_documents
from components.network.packages.tenant_mirror import tenant_mirror
from components.network.policies.documents import tenant_floor, tenant_policies
from components.network.policies.places import EGRESS_NAMESPACE
from components.network.resolver.corefile import tenant_corefile
from corral.settings.egress import Egress


@dataclass(frozen=True, kw_only=True)
class SharedWayOut:
    """The shared way out, as a tenant's part needs it."""

    place: EgressPlace
    after: Sequence[pulumi.Resource] = ()
    """What must stand before: none where another stack holds it."""


@dataclass(frozen=True, kw_only=True)
class TenantWayOut:
    """A tenant's part, as its sandboxes need it."""

    resolver: pulumi.Output[str]
    """Whom they ask for names."""
    fences: Sequence[pulumi.Resource]
    """What must stand before anybody may start one."""


def tenant_way_out(
    children: Children,
    tenant: str,
    egress: Egress,
    shared: SharedWayOut,
    namespace: pulumi.Resource,
) -> TenantWayOut:
    """Registers addresses, policies and what gateway and resolver know, as children called
    `<tenant>/<object>`. `namespace` is the tenant's own."""
    place, after = shared.place, list(shared.after)
    documents = (
        tenant_policies(tenant, egress, names=place.names)
        if place.calico
        else tenant_floor(tenant, egress)
    )
    fences = [
        children.add(
            _logical(tenant, document),
            document,
            depends_on=after if _shared(document) else [namespace, *after],
        )
        for document in documents
    ]
    gateway, resolver = (
        children.service(_logical(tenant, document), document, depends_on=after)
        for document in service_documents(tenant, egress)
    )

    addresses: list[pulumi.Output[str]] = [gateway.address]
    if egress.packages is not None:
        addresses.append(
            tenant_mirror(
                children,
                tenant,
                egress,
                place,
                packages=egress.packages,
                after=after,
                fences=fences,
            )
        )

    def corefile(known: Sequence[str]) -> str:
        at_gateway, *mirror = known
        return tenant_corefile(tenant, egress, gateway=at_gateway, mirror="".join(mirror))

    names = pulumi.Output.all(*addresses).apply(corefile)
    part = part_document(tenant, part_of(tenant, egress, place), names)
    # Doors open when nobody else comes in by them any more.
    children.add(_logical(tenant, part), part, depends_on=[*after, *fences])
    return TenantWayOut(resolver=resolver.address, fences=fences)


def _shared(document: Document) -> bool:
    return bool(document["metadata"]["namespace"] == EGRESS_NAMESPACE)


def _logical(tenant: str, document: Document) -> str:
    return f"{tenant}/{document['metadata']['name']}"
