"""Drains wait for work that can't be started again elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from components.documents import Document, metadata
from components.tenancy.namespace import tenant_namespace
from corral.policy.steering import CLASS_LABEL
from corral.settings.classes import AgentClass
from corral.settings.tenants import RUNNING_AGENTS, Tenant


def disruption_budget_document(
    name: str, tenant: Tenant, classes: Mapping[str, AgentClass]
) -> Document | None:
    """A PodDisruptionBudget that has every sandbox of a class that isn't `restartable` stay until
    it ends by itself, or by its age; None for a tenant that has no such class.

    As many have to stay as there can be: none is ever evicted. Who deletes a sandbox, and a node
    that is lost, aren't held up by it.
    """
    staying = [agent for agent in tenant.agents if not classes[agent].restartable]
    if not staying:
        return None
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(RUNNING_AGENTS, namespace=tenant_namespace(name)),
        "spec": {
            "minAvailable": sum(tenant.agents[agent] for agent in staying),
            "selector": {
                "matchExpressions": [
                    {"key": CLASS_LABEL, "operator": "In", "values": sorted(staying)}
                ]
            },
            # A sandbox that never got ready does no work that could be lost.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
