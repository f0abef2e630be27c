"""The control plane on the cluster: who it is, what it may do, and its pods."""

from __future__ import annotations

from components.documents import Document, metadata
from components.network.egress.pods import (
    account_document,
    budget_document,
    container,
    deployment_document,
    empty_volume,
    in_egress,
    part_labels,
    pod_spec,
    probe,
)
from components.network.policies.places import (
    CONTROL,
    CONTROL_METRICS_PORT,
    CONTROL_PORT,
    EGRESS_NAMESPACE,
)
from components.tenancy.namespace import tenant_namespace

REPLICAS = 2
HEALTH_PORT = 8081
TRUST = "egress-ca"
"""The ConfigMap in a tenant's namespace with what its sandboxes trust."""

CLUSTER_ROLE = "corral-egress-control"
TRUST_ROLE = "corral-egress-trust"

_RBAC = "rbac.authorization.k8s.io"


def control_documents() -> list[Document]:
    """Its account and rights, its Service and budget; without its pods."""
    return [
        account_document(CONTROL),
        in_egress(
            "Role",
            CONTROL,
            api=f"{_RBAC}/v1",
            rules=[
                # Parts, which it reads, and on which it records what it serves.
                _rule(["configmaps"], ["get", "list", "watch", "patch"]),
                # Credentials, which it reads; keys, which it makes and removes.
                _rule(["secrets"], ["get", "list", "watch", "create", "update", "delete"]),
            ],
        ),
        in_egress(
            "RoleBinding",
            CONTROL,
            api=f"{_RBAC}/v1",
            roleRef=_reference("Role", CONTROL),
            subjects=[_account()],
        ),
        # Who is in quarantine, and which tenants are.
        _cluster_role(CLUSTER_ROLE, [_rule(["pods", "namespaces"], ["list", "watch"])]),
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata(CLUSTER_ROLE),
            "roleRef": _reference("ClusterRole", CLUSTER_ROLE),
            "subjects": [_account()],
        },
        budget_document(CONTROL),
    ]


def trust_role_document() -> Document:
    """What it may do in the namespaces of tenants whose TLS it ends, and in no other."""
    return _cluster_role(
        TRUST_ROLE,
        [
            _rule(["configmaps"], ["create"]),
            {**_rule(["configmaps"], ["get", "patch"]), "resourceNames": [TRUST]},
            # What it writes belongs to the binding of this role, and goes with it.
            {
                "apiGroups": [_RBAC],
                "resources": ["rolebindings"],
                "verbs": ["get"],
                "resourceNames": [TRUST_ROLE],
            },
        ],
    )


def control_service_document() -> Document:
    """Where it is asked."""
    port = {"name": "https", "port": CONTROL_PORT, "targetPort": CONTROL_PORT, "protocol": "TCP"}
    return in_egress("Service", CONTROL, spec={"selector": part_labels(CONTROL), "ports": [port]})


def control_deployment_document(image: str) -> Document:
    """Its pods. Any of them can be asked: what was decided stands in the cluster."""
    asked = container(
        "control",
        image,
        command=["python", "-m", "warden.egress", "--metrics-port", str(CONTROL_METRICS_PORT)],
        requests={"cpu": "200m", "memory": "256Mi", "ephemeral-storage": "16Mi"},
        memory="1Gi",
        mounts={"scratch": ("/tmp", True)},  # noqa: S108 - in the pod
        ports=[
            {"name": "https", "containerPort": CONTROL_PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": CONTROL_METRICS_PORT, "protocol": "TCP"},
        ],
        readinessProbe=probe("/ready", HEALTH_PORT),
        livenessProbe={"tcpSocket": {"port": HEALTH_PORT}, "periodSeconds": 10},
    )
    pod = pod_spec(
        CONTROL,
        containers=[asked],
        volumes=[empty_volume("scratch", "16Mi")],
        token=True,
        terminationGracePeriodSeconds=10,
    )
    return deployment_document(CONTROL, pod, replicas=REPLICAS)


def trust_binding_document(tenant: str) -> Document:
    """That it may keep what the tenant's sandboxes trust."""
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata(TRUST_ROLE, namespace=tenant_namespace(tenant)),
        "roleRef": _reference("ClusterRole", TRUST_ROLE),
        "subjects": [_account()],
    }


def _rule(resources: list[str], verbs: list[str]) -> Document:
    return {"apiGroups": [""], "resources": resources, "verbs": verbs}


def _cluster_role(name: str, rules: list[Document]) -> Document:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": metadata(name),
        "rules": rules,
    }


def _reference(kind: str, name: str) -> Document:
    return {"apiGroup": _RBAC, "kind": kind, "name": name}


def _account() -> Document:
    return {"kind": "ServiceAccount", "name": CONTROL, "namespace": EGRESS_NAMESPACE}
