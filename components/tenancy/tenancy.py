"""The tenancy layer: every tenant's namespace, and the roles that they share."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.children import Children
from components.network.egress.control_plane import trust_role_document
from components.network.egress.tenant_egress import SharedWayOut
from components.network.inbound.inbound import SharedWayIn
from components.tenancy.rights import cluster_role_documents
from components.tenancy.tenant import TenantArgs, TenantNamespace
from corral.settings.classes import AgentClass
from corral.settings.tenants import Tenant

AT_ONCE = 32
"""Tenants whose registrations are under way at the same time: enough for 64 parallel operations,
and a few megabytes. All of a thousand at once would be half a gigabyte, and slower."""


@dataclass(frozen=True, kw_only=True)
class TenancyArgs:
    """The tenants, and what holds for all of them."""

    tenants: Mapping[str, Tenant]
    classes: Mapping[str, AgentClass]
    protect: bool
    """Whether namespaces of tenants are protected from deletion."""
    enforced: pulumi.Output[pulumi.Resource]
    """Known once admission is seen to refuse; no tenant gets rights before."""
    way_out: SharedWayOut | None = None
    """The shared way out, where the stack has one."""
    agents_answer: bool = False
    """Whether tenants' own NetworkPolicies let the exporter ask their agents."""
    way_in: SharedWayIn | None = None
    """The shared way in, where it has one."""


class Tenancy(pulumi.ComponentResource):
    """ClusterRoles and one TenantNamespace for each tenant."""

    namespaces: pulumi.Output[list[str]]
    """The tenants' namespaces, in the stack file's order."""

    def __init__(
        self, name: str, args: TenancyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:tenancy:Tenancy", name, None, opts)
        children = Children(parent=self)
        shared = [*cluster_role_documents(), *([trust_role_document()] if args.way_out else ())]
        roles = {
            document["metadata"]["name"]: children.add(document["metadata"]["name"], document)
            for document in shared
        }
        self.namespaces = pulumi.Output.from_input(_admit(children, args, roles))
        self.register_outputs({"namespaces": self.namespaces})


async def _admit(
    children: Children, args: TenancyArgs, roles: Mapping[str, pulumi.Resource]
) -> list[str]:
    """Registers the tenants, `AT_ONCE` at a time; their namespaces."""
    under_way: deque[pulumi.Output[str]] = deque()
    namespaces = []
    for name, tenant in args.tenants.items():
        if len(under_way) == AT_ONCE:
            await _settled(under_way.popleft())
        admitted = TenantNamespace(
            name,
            TenantArgs(
                tenant=tenant,
                classes=args.classes,
                protect=args.protect,
                roles=roles,
                enforced=args.enforced,
                way_out=args.way_out,
                agents_answer=args.agents_answer,
                way_in=args.way_in,
            ),
            children.options(),
        )
        under_way.append(admitted.fenced)
        namespaces.append(admitted.namespace)
    return namespaces


async def _settled(output: pulumi.Output[str]) -> None:
    """Waits until it is known or has failed. The engine reports a failure; other tenants go on."""
    with contextlib.suppress(Exception):
        await output.future()
