"""One tenant: its namespace, the fences around it, and then who may use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.children import Children
from components.documents import Document
from components.network.egress.control_plane import trust_binding_document
from components.network.egress.tenant_documents import inspects
from components.network.egress.tenant_egress import SharedWayOut, tenant_way_out
from components.network.inbound.inbound import SharedWayIn, tenant_way_in
from components.network.policies.status_port import floor_status_policy
from components.tenancy.disruption import disruption_budget_document
from components.tenancy.limit_range import limit_range_document
from components.tenancy.namespace import tenant_namespace, tenant_namespace_document
from components.tenancy.network_policy import default_deny_document
from components.tenancy.quota import quota_documents
from components.tenancy.rights import role_binding_documents, role_of
from components.tenancy.service_accounts import service_account_documents
from corral.settings.classes import AgentClass
from corral.settings.tenants import Tenant


@dataclass(frozen=True, kw_only=True)
class TenantArgs:
    """One tenant's settings, and what it needs of the platform."""

    tenant: Tenant
    classes: Mapping[str, AgentClass]
    """The stack's agent classes."""
    protect: bool
    """Whether its namespace can only be deleted after somebody lifted its protection."""
    roles: Mapping[str, pulumi.Resource]
    """The ClusterRoles that bindings refer to, by name."""
    enforced: pulumi.Input[pulumi.Resource]
    """Known once admission is seen to refuse."""
    way_out: SharedWayOut | None = None
    """The shared way out, where the stack has one."""
    agents_answer: bool = False
    """Whether its own NetworkPolicy lets the exporter ask its agents."""
    way_in: SharedWayIn | None = None
    """The shared way in, where it has one."""


class TenantNamespace(pulumi.ComponentResource):
    """Everything of one tenant. `name` is the tenant's.

    Children are called `<tenant>/<object>`: a tenant that comes or goes renames no other's.
    """

    namespace: str
    fenced: pulumi.Output[str]
    """Known when the last fence stands: for pacing, not an output."""

    def __init__(
        self, name: str, args: TenantArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:tenancy:TenantNamespace", name, None, opts)
        children = Children(parent=self)
        # Deleting a namespace deletes the work of everybody in it.
        namespace = children.add(
            name, tenant_namespace_document(name, args.tenant.tier), protect=args.protect
        )
        egress, bindings = args.tenant.egress, [*role_binding_documents(name, args.tenant)]
        resolver: pulumi.Input[str] = ""
        fences: list[pulumi.Resource] = []
        if egress is not None and args.way_out is not None:
            own = tenant_way_out(children, name, egress, args.way_out, namespace)
            resolver, fences = own.resolver, [*own.fences]
            if inspects(egress):
                bindings.append(trust_binding_document(name))
        fences += [
            # Nothing can be created in a namespace that isn't there.
            children.add(_logical(name, document), document, depends_on=[namespace])
            for document in _fences(name, args.tenant, args.classes, resolver)
        ]
        if args.agents_answer:
            asked = floor_status_policy(name)
            fences.append(children.add(_logical(name, asked), asked, depends_on=[namespace]))
        if args.tenant.inbound is not None and args.way_in is not None:
            before = [namespace, *fences]
            fences += tenant_way_in(children, name, args.tenant.inbound, args.way_in, before)
        for document in bindings:
            children.add(
                _logical(name, document),
                document,
                # Nobody may start anything before everything that holds it back is there.
                depends_on=[namespace, *fences, args.roles[role_of(document)], args.enforced],
                # A binding's role is immutable.
                replaced_by=["roleRef"],
            )
        self.fenced = fences[-1].urn
        self.namespace = tenant_namespace(name)
        self.register_outputs({"namespace": self.namespace})


def _fences(
    name: str,
    tenant: Tenant,
    classes: Mapping[str, AgentClass],
    resolver: pulumi.Input[str],
) -> list[Document]:
    """What stands in a tenant's namespace before anybody may use it."""
    own_classes = {class_name: classes[class_name] for class_name in tenant.agents}
    budget = disruption_budget_document(name, tenant, classes)
    return [
        *([budget] if budget else ()),
        default_deny_document(name),
        limit_range_document(name, tenant, classes),
        *quota_documents(name, tenant, classes),
        *service_account_documents(name, own_classes, resolver=resolver),
    ]


def _logical(tenant: str, document: Document) -> str:
    return f"{tenant}/{document['metadata']['name']}"
