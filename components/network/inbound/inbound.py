"""The shared way in on the cluster, and each tenant's part of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.children import Children
from components.documents import Document
from components.network.inbound.place import InboundPlace
from components.network.inbound.places import NAMESPACE
from components.network.inbound.pods import (
    budget_document,
    config_document,
    deployment_document,
    service_documents,
)
from components.network.inbound.policies import (
    floor_inbound_fences,
    floor_way_in_policies,
    inbound_fences,
    way_in_policies,
)
from components.network.inbound.rights import rights_documents, sandboxes_binding_document
from components.network.inbound.webhooks import part_document
from components.tenancy.namespace import platform_namespace_document
from corral.settings.inbound import Inbound as TenantInbound

_IMMUTABLE = {
    "Deployment": ["spec.selector"],
    "RoleBinding": ["roleRef"],
    "ClusterRoleBinding": ["roleRef"],
}


@dataclass(frozen=True, kw_only=True)
class InboundArgs:
    """The place, and what must stand before it: the cluster's network and Calico's tier."""

    place: InboundPlace
    after: Sequence[pulumi.Resource] = ()


class Inbound(pulumi.ComponentResource):
    """Everything of the way in that isn't a tenant's."""

    tenants_after: tuple[pulumi.Resource, ...]
    """What must stand before a tenant's part."""

    def __init__(
        self, name: str, args: InboundArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:network:Inbound", name, None, opts)
        self._children = Children(parent=self)
        place = args.place
        document = platform_namespace_document(NAMESPACE)
        namespace = self._children.add(NAMESPACE, document, depends_on=args.after)
        # Before anything runs that they fence in.
        fences = self._all(_fences(place), [namespace, *args.after])
        around = [namespace, *fences]
        rights = self._all(rights_documents(), [namespace])
        config = self._all(
            [
                config_document(place.doors, place.pods),
                budget_document(),
                *service_documents(place.doors),
            ],
            [namespace],
        )
        deployment = deployment_document(
            place.doors,
            pods=place.pods,
            envoy_image=place.envoy_image,
            verifier_image=place.verifier_image,
        )
        self._all([deployment], [*around, *rights, *config])
        self.tenants_after = (namespace, *fences, *rights)
        self.register_outputs({"namespace": NAMESPACE})

    def _all(
        self, documents: Sequence[Document], after: Sequence[pulumi.Resource]
    ) -> list[pulumi.Resource]:
        return [
            self._children.add(
                f"{document['kind'].lower()}/{document['metadata']['name']}",
                document,
                depends_on=after,
                # Kubernetes changes none of these in place.
                replaced_by=_IMMUTABLE.get(document["kind"], ()),
            )
            for document in documents
        ]


@dataclass(frozen=True, kw_only=True)
class SharedWayIn:
    """The shared way in, as a tenant's part needs it."""

    calico: bool
    after: Sequence[pulumi.Resource] = ()
    """What must stand before: none where another stack holds it."""


def tenant_way_in(
    children: Children,
    tenant: str,
    inbound: TenantInbound,
    shared: SharedWayIn,
    fences: Sequence[pulumi.Resource],
) -> list[pulumi.Resource]:
    """Registers a tenant's part, as children called `<tenant>/<object>`: policies, the verifier's
    sight of its pods, and last what opens it. `fences` are what stands in the tenant's namespace
    before; its policies, which are fences too, are returned."""
    documents = (way_in_policies if shared.calico else floor_way_in_policies)(tenant, inbound)

    def add(document: Document, after: Sequence[pulumi.Resource]) -> pulumi.Resource:
        return children.add(
            f"{tenant}/{document['metadata']['name']}",
            document,
            depends_on=after,
            replaced_by=_IMMUTABLE.get(document["kind"], ()),
        )

    after = [*shared.after, *fences]
    policies = [add(document, after) for document in documents]
    sight = add(sandboxes_binding_document(tenant), [*after, *policies])
    add(part_document(tenant, inbound), [*after, *policies, sight])
    return policies


def _fences(place: InboundPlace) -> list[Document]:
    if place.calico:
        return inbound_fences(place.doors, place.metrics_readers)
    return floor_inbound_fences(place.doors, place.api_server, place.metrics_readers)
