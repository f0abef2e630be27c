"""What proves runtimes on nodes: a pod of each runtime on each node where it is unproven.

It runs as sandboxes do, in the runtime that it is about: that it runs at all is half of the proof,
and `verify_runtime.py` is the other half. Its rights end at its own node, by admission
(corral/policy/rules/verification.py); RBAC knows no such end.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from components.documents import Document, metadata
from components.isolation.node_labels import tier_taint
from components.isolation.verification import UNPROVEN, proof_label, unverified_toleration
from components.tenancy.namespace import SYSTEM_NAMESPACE
from corral.policy.steering import VERIFIER_ACCOUNTS
from corral.settings.tiers import Runtime, Tier

SCRIPT = Path(__file__).with_name("verify_runtime.py")
NAME = "corral-runtime-verifier"
LABEL = "corral.dev/verifies"

_ID = 65532
_FOLDER = "/verifier"


def verifier_name(runtime: Runtime) -> str:
    """Of its DaemonSet and of its account: what admission knows it by."""
    return f"{VERIFIER_ACCOUNTS.rpartition(':')[2]}{runtime.name}"


def script_document() -> Document:
    """The ConfigMap that holds what verifiers run."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(NAME, namespace=SYSTEM_NAMESPACE),
        "data": {SCRIPT.name: SCRIPT.read_text(encoding="utf-8")},
    }


def account_document(runtime: Runtime) -> Document:
    """Each runtime's verifier is somebody else: one can't speak for the other."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(verifier_name(runtime), namespace=SYSTEM_NAMESPACE),
        "automountServiceAccountToken": False,
    }


def role_document() -> Document:
    """What verifiers may do, of which admission leaves each its own node."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": metadata(NAME),
        "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "patch"]}],
    }


def binding_document(runtimes: Sequence[Runtime]) -> Document:
    """Who may."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": metadata(NAME),
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": NAME,
        },
        "subjects": [
            {
                "kind": "ServiceAccount",
                "name": verifier_name(runtime),
                "namespace": SYSTEM_NAMESPACE,
            }
            for runtime in runtimes
        ],
    }


def verifier_document(runtime: Runtime, *, image: str, core_dumps: bool) -> Document:
    """The DaemonSet of one runtime's verifiers. `core_dumps` says whether nodes may write them:
    nodes that we prepare may not, and a sandbox in which it is otherwise proves nothing."""
    labels = {LABEL: runtime.name}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            **metadata(verifier_name(runtime), namespace=SYSTEM_NAMESPACE, labels=labels),
            # A node that proves nothing stays closed: no reason to wait for it.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": _pod(runtime, image, core_dumps),
            },
        },
    }


def _pod(runtime: Runtime, image: str, core_dumps: bool) -> Document:
    return {
        "runtimeClassName": runtime.name,
        "serviceAccountName": verifier_name(runtime),
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 5,
        # Its label says the opposite once it is done: then there is nothing more to do there.
        "nodeSelector": {proof_label(runtime): UNPROVEN},
        # A DaemonSet's controller goes by these, and doesn't see what the RuntimeClass adds.
        "tolerations": [
            unverified_toleration(),
            {**tier_taint(runtime.tier), "operator": "Equal"},
        ],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _ID,
            "runAsGroup": _ID,
            "fsGroup": _ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "verify",
                "image": image,
                "command": ["python3", "-I", "-B", f"{_FOLDER}/{SCRIPT.name}"],
                "env": [
                    {
                        "name": "NODE_NAME",
                        "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}},
                    },
                    {"name": "RUNTIME", "value": runtime.name},
                    {"name": "TIER", "value": _kernel(runtime)},
                    {"name": "CORE_DUMPS", "value": "any" if core_dumps else "none"},
                ],
                "terminationMessagePolicy": "FallbackToLogsOnError",
                "resources": {
                    "requests": {"cpu": "50m", "memory": "128Mi"},
                    "limits": {"cpu": "500m", "memory": "256Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "privileged": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [{"name": "script", "mountPath": _FOLDER, "readOnly": True}],
            }
        ],
        "volumes": [{"name": "script", "configMap": {"name": NAME}}],
    }


def _kernel(runtime: Runtime) -> str:
    """Whose kernel a sandbox must find itself on."""
    return "gvisor" if runtime.tier == Tier.GVISOR else "guest"
