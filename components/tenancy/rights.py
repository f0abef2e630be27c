"""Who may do what in a tenant's namespace: three ClusterRoles, bound namespace by namespace.

Nobody here may create or change a pod, touch ephemeral containers, resize, or read Secrets:
sandboxes are claimed, and what is claimed was judged.
"""

from __future__ import annotations

from collections.abc import Iterator

from components.documents import Document, metadata
from components.tenancy.namespace import tenant_namespace
from components.tenancy.service_accounts import ORCHESTRATOR_ACCOUNT
from corral.settings.tenants import Tenant

ORCHESTRATOR = "corral-orchestrator"
ORCHESTRATOR_EXEC = "corral-orchestrator-exec"
READER = "corral-reader"

_SANDBOX_GROUPS = ("agents.x-k8s.io", "extensions.agents.x-k8s.io")
_LOOK = ("get", "list", "watch")
_WATCHED: list[Document] = [
    {
        "apiGroups": [""],
        "resources": ["pods", "events", "resourcequotas", "limitranges", "persistentvolumeclaims"],
        "verbs": list(_LOOK),
    },
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": list(_LOOK)},
    {
        "apiGroups": list(_SANDBOX_GROUPS),
        "resources": ["sandboxes", "sandboxclaims", "sandboxtemplates", "sandboxwarmpools"],
        "verbs": list(_LOOK),
    },
]
# A claim isn't changed once it is made: what it asks for was judged when it came.
_CLAIMS: Document = {
    "apiGroups": ["extensions.agents.x-k8s.io"],
    "resources": ["sandboxclaims"],
    "verbs": ["create", "delete"],
}
_EXEC: Document = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create", "get"]}


def cluster_role_documents() -> list[Document]:
    """The roles that tenants' RoleBindings refer to: one place where all their rights stand."""
    return [
        _cluster_role(ORCHESTRATOR, [*_WATCHED, _CLAIMS]),
        _cluster_role(ORCHESTRATOR_EXEC, [_EXEC]),
        _cluster_role(READER, _WATCHED),
    ]


def role_binding_documents(name: str, tenant: Tenant) -> Iterator[Document]:
    """Who has which role in a tenant's namespace. Exec is a binding of its own, so that taking it
    away is deleting it; without readers there is none for them."""
    account = {
        "kind": "ServiceAccount",
        "name": ORCHESTRATOR_ACCOUNT,
        "namespace": tenant_namespace(name),
    }
    orchestrators = [account, *map(_group, tenant.orchestrator.groups)]
    yield _role_binding(name, ORCHESTRATOR, orchestrators)
    if tenant.orchestrator.exec:
        yield _role_binding(name, ORCHESTRATOR_EXEC, orchestrators)
    if tenant.readers:
        yield _role_binding(name, READER, [_group(group) for group in tenant.readers])


def role_of(binding: Document) -> str:
    """The name of the role that a RoleBinding gives."""
    return str(binding["roleRef"]["name"])


def _group(name: str) -> Document:
    return {"kind": "Group", "name": name, "apiGroup": "rbac.authorization.k8s.io"}


def _cluster_role(name: str, rules: list[Document]) -> Document:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": metadata(name),
        "rules": rules,
    }


def _role_binding(tenant: str, role: str, subjects: list[Document]) -> Document:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata(role, namespace=tenant_namespace(tenant)),
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": role,
        },
        "subjects": subjects,
    }
