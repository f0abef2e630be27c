"""A tenant's quota: room for exactly the sandboxes that it was promised."""

from __future__ import annotations

from collections.abc import Mapping

from components.documents import Document, metadata
from components.isolation.priority_class import priority_class_name
from components.tenancy.namespace import tenant_namespace
from components.tenancy.sandbox_use import Use, sandbox_use
from corral.settings.classes import AgentClass
from corral.settings.quantities import bytes_text, cpu_text
from corral.settings.tenants import Tenant
from corral.settings.workspaces import STORAGE_CLASSES

QUOTA = "corral-agents"

SPARE_OBJECTS = 20
"""ConfigMaps and Secrets of a namespace beyond one for each sandbox: the cluster's and ours."""

# Nothing but sandboxes runs in a tenant's namespace, and nothing in it is reachable from outside.
_NONE_OF = (
    "services.loadbalancers",
    "services.nodeports",
    "count/cronjobs.batch",
    "count/daemonsets.apps",
    "count/deployments.apps",
    "count/jobs.batch",
    "count/replicasets.apps",
    "count/replicationcontrollers",
    "count/statefulsets.apps",
)


def quota_documents(name: str, tenant: Tenant, classes: Mapping[str, AgentClass]) -> list[Document]:
    """The ResourceQuotas of one tenant; `classes` are the stack's.

    One holds what all its sandboxes may use together. Where a tenant has several classes, one
    more for each holds its number: the room of ten small sandboxes is not one large one more.
    """
    documents = [_document(name, QUOTA, {"hard": hard_limits(tenant, classes)})]
    if len(tenant.agents) > 1:
        documents.extend(
            _document(name, f"{QUOTA}-{class_name}", _number(class_name, count))
            for class_name, count in tenant.agents.items()
        )
    return documents


def hard_limits(tenant: Tenant, classes: Mapping[str, AgentClass]) -> dict[str, str]:
    """`spec.hard` of the quota over all of a tenant's sandboxes."""
    use = Use.total(sandbox_use(classes[name]) * count for name, count in tenant.agents.items())
    sandboxes = sum(tenant.agents.values())
    return {
        "pods": str(sandboxes),
        "requests.cpu": cpu_text(use.requests_cpu),
        "limits.cpu": cpu_text(use.limits_cpu),
        "requests.memory": bytes_text(use.requests_memory),
        "limits.memory": bytes_text(use.limits_memory),
        "requests.ephemeral-storage": bytes_text(use.disk),
        "limits.ephemeral-storage": bytes_text(use.disk),
        **_storage(tenant, classes),
        "services": str(sandboxes),
        "count/configmaps": str(sandboxes + SPARE_OBJECTS),
        "count/secrets": str(sandboxes + SPARE_OBJECTS),
        "count/sandboxes.agents.x-k8s.io": str(sandboxes),
        "count/sandboxclaims.extensions.agents.x-k8s.io": str(sandboxes),
        **dict.fromkeys(_NONE_OF, "0"),
    }


def _storage(tenant: Tenant, classes: Mapping[str, AgentClass]) -> dict[str, str]:
    """A workspace for each sandbox that has one, and the volumes that the tenant was given: of each
    kind no more than its own, and one snapshot of each."""
    counts, sizes = dict.fromkeys(STORAGE_CLASSES, 0), dict.fromkeys(STORAGE_CLASSES, 0)
    for name, count in tenant.agents.items():
        own = classes[name].workspace
        if own is not None:
            counts[own.kind] += count
            sizes[own.kind] += count * own.size
    workspaces = sum(counts.values())
    counts["ebs"] += tenant.volumes.count
    sizes["ebs"] += tenant.volumes.storage
    found = {
        "persistentvolumeclaims": str(sum(counts.values())),
        "requests.storage": bytes_text(sum(sizes.values())),
        "count/volumesnapshots.snapshot.storage.k8s.io": str(workspaces + tenant.volumes.count),
    }
    for kind, storage_class in STORAGE_CLASSES.items():
        prefix = f"{storage_class}.storageclass.storage.k8s.io"
        found[f"{prefix}/persistentvolumeclaims"] = str(counts[kind])
        found[f"{prefix}/requests.storage"] = bytes_text(sizes[kind])
    return found


def _number(class_name: str, count: int) -> Document:
    """A quota's spec for how many sandboxes of one class: admission holds each sandbox to the
    priority of its class, so the priority tells classes apart."""
    selected = {
        "scopeName": "PriorityClass",
        "operator": "In",
        "values": [priority_class_name(class_name)],
    }
    return {"hard": {"pods": str(count)}, "scopeSelector": {"matchExpressions": [selected]}}


def _document(tenant: str, name: str, spec: Document) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata(name, namespace=tenant_namespace(tenant)),
        "spec": spec,
    }
