"""What kwok may do: the least that lets it play kubelet for simulated nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corral.embedded.cluster.api import ApiServer
from corral.embedded.cluster.keys import KWOK_USER

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_LEASES = "kube-node-lease"


def grant_kwok(server: ApiServer) -> None:
    """Makes or mends its roles. Leases only where nodes have theirs."""
    in_leases = f"{_RBAC}/namespaces/{_LEASES}"
    rules = [
        _rule("", ["nodes"], ["get", "list", "watch"]),
        _rule("", ["nodes/status", "pods/status"], ["patch", "update"]),
        _rule("", ["pods"], ["get", "list", "watch", "delete"]),
        _rule("", ["events"], ["create", "patch"]),
    ]
    lease_rules = [
        _rule(
            "coordination.k8s.io",
            ["leases"],
            ["get", "list", "watch", "create", "patch", "update"],
        )
    ]
    for path, document in (
        (f"{_RBAC}/clusterroles", _role("ClusterRole", rules)),
        (f"{_RBAC}/clusterrolebindings", _binding("ClusterRole", "")),
        (f"{in_leases}/roles", _role("Role", lease_rules, _LEASES)),
        (f"{in_leases}/rolebindings", _binding("Role", _LEASES)),
    ):
        server.apply(f"{path}/{KWOK_USER}", document)


def _rule(group: str, resources: Sequence[str], verbs: Sequence[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def _role(kind: str, rules: Sequence[dict[str, Any]], namespace: str = "") -> dict[str, Any]:
    return {**_head(kind, namespace), "rules": list(rules)}


def _binding(kind: str, namespace: str) -> dict[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        **_head(f"{kind}Binding", namespace),
        "roleRef": {"apiGroup": group, "kind": kind, "name": KWOK_USER},
        "subjects": [{"apiGroup": group, "kind": "User", "name": KWOK_USER}],
    }


def _head(kind: str, namespace: str) -> dict[str, Any]:
    where = {"namespace": namespace} if namespace else {}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": KWOK_USER, **where},
    }
