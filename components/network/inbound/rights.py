"""What the verifier may do in the cluster: read, and ask whose tokens are."""

from __future__ import annotations

from components.documents import Document, metadata
from components.network.inbound.places import NAME, NAMESPACE
from components.tenancy.namespace import tenant_namespace

CLUSTER_ROLE = "corral-inbound"
SANDBOXES_ROLE = "corral-inbound-sandboxes"

_RBAC = "rbac.authorization.k8s.io"


def rights_documents() -> list[Document]:
    """Its account; what it reads in its own namespace; and of the whole cluster, tokens and which
    tenants are closed."""
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(NAME, namespace=NAMESPACE),
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "Role",
            "metadata": metadata(NAME, namespace=NAMESPACE),
            "rules": [_rule("", ["configmaps", "secrets"], ["list", "watch"])],
        },
        _binding("RoleBinding", metadata(NAME, namespace=NAMESPACE), "Role", NAME),
        _cluster_role(
            CLUSTER_ROLE,
            [
                _rule("", ["namespaces"], ["list", "watch"]),
                _rule("authentication.k8s.io", ["tokenreviews"], ["create"]),
            ],
        ),
        _binding("ClusterRoleBinding", metadata(CLUSTER_ROLE), "ClusterRole", CLUSTER_ROLE),
        _cluster_role(SANDBOXES_ROLE, [_rule("", ["pods"], ["list", "watch"])]),
    ]


def sandboxes_binding_document(tenant: str) -> Document:
    """That it sees the tenant's pods: of tenants with a way in, and of nobody else."""
    where = metadata(SANDBOXES_ROLE, namespace=tenant_namespace(tenant))
    return _binding("RoleBinding", where, "ClusterRole", SANDBOXES_ROLE)


def _rule(group: str, resources: list[str], verbs: list[str]) -> Document:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _cluster_role(name: str, rules: list[Document]) -> Document:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": metadata(name),
        "rules": rules,
    }


def _binding(kind: str, where: Document, role_kind: str, role: str) -> Document:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": kind,
        "metadata": where,
        "roleRef": {"apiGroup": _RBAC, "kind": role_kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }
