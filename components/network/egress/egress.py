"""The shared way out on the cluster: namespace, policies, control plane, resolvers, gateways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.children import Children, KubernetesService
from components.documents import Document
from components.network.egress.control_plane import (
    control_deployment_document,
    control_documents,
    control_service_document,
)
from components.network.egress.gateway_pods import (
    gateway_deployment_document,
    gateway_documents,
)
from components.network.egress.node_agent import NAMESPACE as NODES_NAMESPACE
from components.network.egress.node_agent import (
    node_agent_document,
    node_agent_documents,
    node_agent_namespace_document,
)
from components.network.egress.place import EgressPlace
from components.network.egress.resolver_pods import (
    resolver_deployment_document,
    resolver_documents,
)
from components.network.egress.tenant_documents import shared_part_document
from components.network.enterprise.addresses import namespace_annotations
from components.network.policies.documents import shared_floor, shared_policies
from components.network.policies.places import CONTROL, EGRESS_NAMESPACE
from components.network.policies.tier import TIER
from components.tenancy.namespace import platform_namespace_document

_IMMUTABLE = {
    "Deployment": ["spec.selector"],
    "DaemonSet": ["spec.selector"],
    "RoleBinding": ["roleRef"],
    "ClusterRoleBinding": ["roleRef"],
}


@dataclass(frozen=True, kw_only=True)
class EgressArgs:
    """The shared way out, and what must stand before it (the cluster's network)."""

    place: EgressPlace
    after: Sequence[pulumi.Resource] = ()


def egress_namespace_document(place: EgressPlace) -> Document:
    """Its namespace. Calico Enterprise is told by an annotation of it which gateways to use."""
    document = platform_namespace_document(EGRESS_NAMESPACE)
    if place.gateways:
        document["metadata"]["annotations"] = dict(namespace_annotations())
    return document


class Egress(pulumi.ComponentResource):
    """Everything of the egress that isn't a tenant's."""

    tenants_after: tuple[pulumi.Resource, ...]
    """What must stand before a tenant's part."""

    def __init__(
        self, name: str, args: EgressArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:network:Egress", name, None, opts)
        self._children = Children(parent=self)
        place = args.place
        document = egress_namespace_document(place)
        self._namespace = self._children.add(EGRESS_NAMESPACE, document, depends_on=args.after)
        policies = self._policies(place)
        control = self._control(place, policies)
        resolver = resolver_deployment_document(
            image=place.resolver_image, files_image=place.control_image, control=control.address
        )
        self._one(resolver, *policies, *self._all(resolver_documents()), control)
        gateway = gateway_deployment_document(place, control.address)
        self._one(gateway, *policies, *self._all(gateway_documents(place)), control)
        nodes = self._children.add(
            NODES_NAMESPACE, node_agent_namespace_document(), depends_on=args.after
        )
        own = self._all(node_agent_documents(), nodes)
        self._one(node_agent_document(place.control_image), nodes, *own)
        # Of Calico's policies the first is the tier, which tenants' policies are in.
        self.tenants_after = (self._namespace, *(policies[:1] if place.calico else ()))
        self.register_outputs({"namespace": EGRESS_NAMESPACE})

    def _policies(self, place: EgressPlace) -> list[pulumi.Resource]:
        """Before anything runs that they fence in."""
        if not place.calico:
            return self._all(shared_floor(place.ranges, place.beyond))
        tier, *documents = shared_policies(
            place.ranges, place.beyond, trial=place.egress.trial or None, names=place.names
        )
        first = self._children.add(f"tier/{TIER}", tier, depends_on=[self._namespace])
        return [first, *self._all(documents, first)]

    def _control(
        self, place: EgressPlace, policies: Sequence[pulumi.Resource]
    ) -> KubernetesService:
        own = self._all([*control_documents(), shared_part_document(place)])
        document = control_service_document()
        service = self._children.service(CONTROL, document, depends_on=[self._namespace])
        self._one(control_deployment_document(place.control_image), *policies, *own, service)
        return service

    def _all(self, documents: Sequence[Document], *after: pulumi.Resource) -> list[pulumi.Resource]:
        return [self._one(document, *after) for document in documents]

    def _one(self, document: Document, *after: pulumi.Resource) -> pulumi.Resource:
        """One object, after the namespace and these."""
        return self._children.add(
            document["metadata"]["name"],
            document,
            depends_on=[self._namespace, *after],
            # Kubernetes changes none of these in place.
            replaced_by=_IMMUTABLE.get(document["kind"], ()),
        )
