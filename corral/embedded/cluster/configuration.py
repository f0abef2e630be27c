"""The files that the control plane's processes read: documents as data, written on change."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from corral.embedded.cluster.certificates import Authority, Pair
from corral.embedded.cluster.files import write_private, write_private_json
from corral.embedded.cluster.keys import CLIENTS, Keys
from corral.embedded.cluster.layout import Layout
from corral.embedded.cluster.ports import LOOPBACK

CONTEXT = "corral"
"""The one context in the kubeconfig, and the name of its cluster."""

_SYSTEM_USERS = [
    "system:apiserver",
    *(identity.name for name, identity in CLIENTS.items() if name != "admin"),
]


def write_configuration(layout: Layout, keys: Keys, ports: Mapping[str, int]) -> None:
    """All of them. The encryption key has a life of its own: see `keys`."""
    folder = layout.configuration
    for name, pair in keys.clients.items():
        path = layout.kubeconfig if name == "admin" else folder / f"{name}.kubeconfig"
        write_private_json(path, kubeconfig(keys.authority, pair, ports["kube-apiserver"]))
    write_private_json(folder / "audit.json", audit_policy())
    write_private_json(
        folder / "scheduler.json", scheduler_configuration(folder / "kube-scheduler.kubeconfig")
    )
    stages = resources.files(__package__).joinpath("stages.yaml").read_bytes()
    write_private(folder / "stages.yaml", stages)


def kubeconfig(authority: Authority, pair: Pair, port: int) -> dict[str, Any]:
    """A kubeconfig that needs no other file. JSON is YAML: every client reads it."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [
            {
                "name": CONTEXT,
                "cluster": {
                    "server": f"https://{LOOPBACK}:{port}",
                    "certificate-authority-data": _data(authority.pair.certificate),
                },
            }
        ],
        "users": [
            {
                "name": CONTEXT,
                "user": {
                    "client-certificate-data": _data(pair.certificate),
                    "client-key-data": _data(pair.key),
                },
            }
        ],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
    }


def audit_policy() -> dict[str, Any]:
    """What the audit log keeps.

    Bodies only of objects that say who may do what and that hold no secrets; a pod's environment,
    a custom resource or an annotation may hold anything, so of all else only who did what to which
    object. The cluster's own reads and renewals are left out.
    """
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "omitManagedFields": True,
        "rules": [
            {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version"]},
            {"level": "None", "resources": [{"group": "coordination.k8s.io"}]},
            {
                "level": "None",
                "resources": [
                    {"group": "", "resources": ["events"]},
                    {"group": "events.k8s.io", "resources": ["events"]},
                ],
            },
            {"level": "None", "users": _SYSTEM_USERS, "verbs": ["get", "list", "watch"]},
            {
                "level": "Request",
                "verbs": ["create", "update", "patch", "delete", "deletecollection"],
                "resources": [
                    {"group": "rbac.authorization.k8s.io"},
                    {"group": "admissionregistration.k8s.io"},
                ],
            },
            {"level": "Metadata"},
        ],
    }


def scheduler_configuration(client: Path) -> dict[str, Any]:
    """One scheduler alone, whose client isn't the brake when thousands of pods come at once."""
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": False},
        "clientConnection": {"kubeconfig": str(client), "qps": 1000, "burst": 2000},
    }


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
