"""The agent on each node with sandboxes that ends connections which policies let be.

It shares its node's network, since that is where the kernel keeps them. So no policy judges it, of
Calico's sandbox tier or of Kubernetes: what holds it are the account's rights, which are to read,
and one capability. Its namespace is its own, because Pod Security lets nobody have the host's
network elsewhere.
"""

from __future__ import annotations

from components.documents import Document, metadata
from components.isolation.verification import unverified_toleration
from components.network.egress.pods import container
from components.network.policies.places import PART_LABEL
from corral.policy.program.exemptions import PREFIX as EXEMPT
from corral.settings.tiers import TIER_LABEL

NAMESPACE = "corral-nodes"
NAME = "conntrack-agent"
CLUSTER_ROLE = "corral-conntrack-agent"
PORT = 9479
"""On the node's loopback."""

_RBAC = "rbac.authorization.k8s.io"
_LOOPBACK = "127.0.0.1"

_OWN_TABLE = "the kernel keeps connections of a node's pods in the node's own network namespace"
_NO_AMBIENT = "Kubernetes gives a capability to root alone; it has this one and no other"
_ON_LOOPBACK = "its figures are for the node alone, so it listens on the node's loopback"
_BY_TAG = "named by its exact tag, which network.egress.images takes as well as a digest"


def node_agent_namespace_document() -> Document:
    """Where agents run, and nothing else does."""
    labels = {"pod-security.kubernetes.io/enforce": "privileged"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": metadata(NAMESPACE, labels=labels),
    }


def node_agent_documents() -> list[Document]:
    """Its account, and what that may: see pods and namespaces. RBAC knows no nodes: that it asks
    for its own node's pods alone is the program's doing."""
    account = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(NAME, namespace=NAMESPACE),
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRole",
            "metadata": metadata(CLUSTER_ROLE),
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["pods", "namespaces"],
                    "verbs": ["list", "watch"],
                }
            ],
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata(CLUSTER_ROLE),
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": CLUSTER_ROLE},
            "subjects": [account],
        },
    ]


def node_agent_document(image: str) -> Document:
    """The DaemonSet, on nodes of every tier."""
    labels = {PART_LABEL: NAME}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            **metadata(NAME, namespace=NAMESPACE, labels=labels),
            # Nodes come and go all the time: that one isn't ready yet is no reason to wait.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        "spec": {
            "selector": {"matchLabels": labels},
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": "10%"},
            },
            "template": {
                "metadata": {"labels": labels, "annotations": _exemptions(image)},
                "spec": _pod(image),
            },
        },
    }


def _pod(image: str) -> Document:
    probe = {"httpGet": {"host": _LOOPBACK, "path": "/ready", "port": PORT}, "periodSeconds": 10}
    agent = container(
        "agent",
        image,
        command=["python", "-m", "warden.conntrack", "--port", str(PORT)],
        requests={"cpu": "10m", "memory": "64Mi", "ephemeral-storage": "16Mi"},
        memory="256Mi",
        mounts={},
        env=[{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        readinessProbe=probe,
        livenessProbe={
            "tcpSocket": {"host": _LOOPBACK, "port": PORT},
            "periodSeconds": 20,
            "initialDelaySeconds": 20,
        },
    )
    agent["securityContext"]["capabilities"]["add"] = ["NET_ADMIN"]
    del agent["volumeMounts"]  # it has none, and an empty list isn't kept
    return {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "hostNetwork": True,
        # It asks for no name: the API server is an address.
        "dnsPolicy": "Default",
        "priorityClassName": "system-node-critical",
        "terminationGracePeriodSeconds": 5,
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": TIER_LABEL, "operator": "Exists"}]}
                    ]
                }
            }
        },
        # Before the first sandbox comes.
        "tolerations": [
            unverified_toleration(),
            {"key": TIER_LABEL, "operator": "Exists", "effect": "NoSchedule"},
        ],
        "securityContext": {
            "runAsNonRoot": False,
            "runAsUser": 0,
            "runAsGroup": 0,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [agent],
    }


def _exemptions(image: str) -> dict[str, str]:
    """The rules of the baseline that it can't keep, each with the reason."""
    reasons = {
        "host-namespaces": _OWN_TABLE,
        "capabilities-add": _OWN_TABLE,
        "probe-hosts": _ON_LOOPBACK,
        **dict.fromkeys(("non-root", "uid", "gid"), _NO_AMBIENT),
    }
    if "@" not in image:
        reasons["image-digest"] = _BY_TAG
    return {f"{EXEMPT}{rule}": reason for rule, reason in reasons.items()}
