"""The proving grounds: a namespace behind all walls, and one behind each wall alone.

What they hold is what the platform registers, taken from its own components.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.isolation.priority_class import priority_class_document
from components.isolation.runtime_class import runtime_class_document
from components.tenancy.limit_range import limit_range_document
from components.tenancy.namespace import tenant_namespace, tenant_namespace_document
from components.tenancy.network_policy import default_deny_document
from components.tenancy.quota import quota_documents
from components.tenancy.rights import (
    cluster_role_documents,
    role_binding_documents,
)
from components.tenancy.service_accounts import service_account_documents
from corral.policy.steering import MANAGED_BY, MANAGER, TENANT_LABEL
from tests.policy.cases import Wall
from tests.policy.pods import CLASSES, RESOLVER, TENANT

Document = dict[str, Any]

GROUNDS = {
    Wall.POLICIES: "agents-policies-alone",
    Wall.POD_SECURITY: "pod-security-alone",
    Wall.LIMIT_RANGE: "limit-range-alone",
    Wall.QUOTA: "quota-alone",
}
"""Where each wall stands alone."""

_RBAC = "rbac.authorization.k8s.io"

NOTHING = "no-wall"
"""Where none stands: what is refused here, the API server itself refuses."""

TOGETHER_TENANT = "acme"
TOGETHER = tenant_namespace(TOGETHER_TENANT)
"""Where all stand, as a tenant has them."""


def documents() -> Iterator[Document]:
    """Everything but the policies themselves, in an order that can be created."""
    for runtime in {agent.runtime_name: agent.served_by for agent in CLASSES.values()}.values():
        yield runtime_class_document(runtime)
    for number, name in enumerate(CLASSES):
        yield priority_class_document(name, 100 + number)
    yield from cluster_role_documents()
    yield from _namespaces()
    for namespace in (*GROUNDS.values(), NOTHING, TOGETHER):
        tenant = namespace.removeprefix("agents-")
        accounts = service_account_documents(tenant, CLASSES, resolver=RESOLVER)
        yield from (_in(namespace, account) for account in accounts)
    yield _in(GROUNDS[Wall.LIMIT_RANGE], limit_range_document("x", TENANT, CLASSES))
    yield from (_in(GROUNDS[Wall.QUOTA], d) for d in quota_documents("x", TENANT, CLASSES))
    yield limit_range_document(TOGETHER_TENANT, TENANT, CLASSES)
    yield from quota_documents(TOGETHER_TENANT, TENANT, CLASSES)
    yield default_deny_document(TOGETHER_TENANT)
    yield from role_binding_documents(TOGETHER_TENANT, TENANT)


def _namespaces() -> Iterator[Document]:
    for wall, name in GROUNDS.items():
        labels = {TENANT_LABEL: name.removeprefix("agents-")} if wall is Wall.POLICIES else {}
        if wall is Wall.POD_SECURITY:
            found = tenant_namespace_document("x", TENANT.tier)["metadata"]["labels"]
            labels = {k: v for k, v in found.items() if k.startswith("pod-security.")}
        yield _namespace(name, labels)
    yield _namespace(NOTHING, {})
    yield tenant_namespace_document(TOGETHER_TENANT, TENANT.tier)


def _namespace(name: str, labels: dict[str, str]) -> Document:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _in(namespace: str, document: Document) -> Document:
    return {**document, "metadata": {**document["metadata"], "namespace": namespace}}


def steward_documents() -> Iterator[Document]:
    """An account that may administer tenants, and change quotas, and nothing else."""
    yield _account("steward", NOTHING)
    yield from _bound(
        "proof-steward",
        [
            {"apiGroups": ["corral.dev"], "resources": ["tenants"], "verbs": ["administer"]},
            {"apiGroups": [""], "resources": ["resourcequotas"], "verbs": ["get", "patch"]},
        ],
        ("steward", NOTHING),
    )


def overpowered_documents() -> Iterator[Document]:
    """An account that was given far too much: everything in its tenant's namespace, every
    namespace, and what the platform keeps for the whole cluster. RBAC is no wall to it."""
    yield _account("overpowered", TOGETHER)
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    yield from _bound("proof-everything", [everything], ("overpowered", TOGETHER), TOGETHER)
    yield from _bound(
        "proof-cluster",
        [
            {
                "apiGroups": [""],
                "resources": ["namespaces", "namespaces/status", "namespaces/finalize"],
                "verbs": ["*"],
            },
            {
                "apiGroups": ["node.k8s.io", "scheduling.k8s.io", _RBAC],
                "resources": ["runtimeclasses", "priorityclasses", "clusterroles"],
                "verbs": ["*"],
            },
        ],
        ("overpowered", TOGETHER),
    )


def _account(name: str, namespace: str) -> Document:
    metadata = {"name": name, "namespace": namespace, "labels": {MANAGED_BY: MANAGER}}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _bound(
    name: str, rules: list[Document], account: tuple[str, str], namespace: str = ""
) -> Iterator[Document]:
    """A role, and its binding to an account: in one namespace, or in the whole cluster."""
    version = f"{_RBAC}/v1"
    yield {
        "apiVersion": version,
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    }
    where = {"namespace": namespace} if namespace else {}
    yield {
        "apiVersion": version,
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": {"name": name, **where, "labels": {MANAGED_BY: MANAGER}},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account[0], "namespace": account[1]}],
    }
