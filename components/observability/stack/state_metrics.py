"""kube-state-metrics: which labels it repeats, and what it says of agent-sandbox's own kinds."""

from __future__ import annotations

from typing import Any

from components.isolation.node_labels import POOL_LABEL, PURPOSE_LABEL
from components.network.policies.places import QUARANTINE_LABEL
from components.observability.place import ObservabilityPlace
from components.observability.stack.names import STATE_METRICS
from components.observability.stack.placement import (
    BY_TAG,
    PRIORITY,
    ZONE,
    exempt,
    node_selector,
    resources,
)
from corral.policy.steering import CLASS_LABEL, TENANT_LABEL
from corral.settings.tiers import TIER_LABEL

SUSPENDED_LABEL = "corral.dev/suspended"

REPEATED_LABELS = {
    "pods": (CLASS_LABEL, QUARANTINE_LABEL),
    "nodes": (
        TIER_LABEL,
        POOL_LABEL,
        PURPOSE_LABEL,
        ZONE,
        "node.kubernetes.io/instance-type",
        "karpenter.sh/capacity-type",
    ),
    "namespaces": (TENANT_LABEL, TIER_LABEL, QUARANTINE_LABEL, SUSPENDED_LABEL),
}
"""Labels that become labels of `kube_<kind>_labels`: few, since a sandbox could invent any number
of others."""

COLLECTORS = (
    *("cronjobs", "daemonsets", "deployments", "horizontalpodautoscalers", "jobs", "namespaces"),
    *("nodes", "persistentvolumeclaims", "persistentvolumes", "poddisruptionbudgets", "pods"),
    *("replicasets", "resourcequotas", "services", "statefulsets", "storageclasses"),
    "volumeattachments",
)
"""Kinds that it may list. Neither Secrets nor ConfigMaps: to count them it would read them."""

_CORE, _EXTENSIONS, _VERSION = "agents.x-k8s.io", "extensions.agents.x-k8s.io", "v1beta1"


def state_metrics_values(place: ObservabilityPlace) -> dict[str, Any]:
    """Values of its chart."""
    return {
        "fullnameOverride": STATE_METRICS,
        "replicas": 1,
        "collectors": list(COLLECTORS),
        "metricLabelsAllowlist": [
            f"{kind}=[{','.join(labels)}]" for kind, labels in REPEATED_LABELS.items()
        ],
        "rbac": {
            "extraRules": [
                {"apiGroups": [group], "resources": kinds, "verbs": ["list", "watch"]}
                for group, kinds in (
                    (_CORE, ["sandboxes"]),
                    (_EXTENSIONS, ["sandboxclaims", "sandboxwarmpools"]),
                )
            ]
        },
        "customResourceState": {"enabled": True, "config": custom_resource_state()},
        # TLS, and whoever may not read its figures gets none.
        "kubeRBACProxy": {
            "enabled": True,
            "resources": resources("10m", "32Mi", "64Mi"),
        },
        "podAnnotations": exempt("image-digest", reason=BY_TAG),
        "prometheus": {"monitor": {"http": _over_tls(), "metrics": _over_tls()}},
        "nodeSelector": node_selector(place),
        "priorityClassName": PRIORITY,
        "resources": resources("100m", "256Mi", "1Gi"),
    }


def _over_tls() -> dict[str, Any]:
    """Its certificate is its own, of each start: whom it is from says the network policy."""
    return {
        "honorLabels": True,
        "scheme": "https",
        "tlsConfig": {"insecureSkipVerify": True},
        "bearerTokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token",
    }


def custom_resource_state() -> dict[str, Any]:
    """What it says of Sandbox, SandboxClaim and SandboxWarmPool, once the cluster has these kinds.

    Each name is a part of the cluster that a controller counts; no label is a sandbox's own choice.
    """
    sandbox = _resource(
        _CORE,
        "Sandbox",
        "kube_sandbox",
        [
            _metric(
                "operating_mode",
                "Whether it is to run, or to be suspended.",
                "StateSet",
                labelName="mode",
                path=["spec", "operatingMode"],
                list=["Running", "Suspended"],
            ),
            _gauge("shutdown_time", "When it is to end, in Unix seconds.", "spec", "shutdownTime"),
            _created(),
            _conditions(),
        ],
    )
    claim = _resource(
        _EXTENSIONS,
        "SandboxClaim",
        "kube_sandboxclaim",
        [
            _gauge(
                "shutdown_time",
                "When its sandbox is to end, in Unix seconds.",
                *("spec", "lifecycle", "shutdownTime"),
            ),
            _created(),
            _conditions(),
        ],
    )
    pool = _resource(
        _EXTENSIONS,
        "SandboxWarmPool",
        "kube_sandboxwarmpool",
        [
            _gauge("spec_replicas", "Sandboxes that it is to hold.", "spec", "replicas"),
            _gauge(
                "status_ready_replicas",
                "Sandboxes of it that are ready.",
                *("status", "readyReplicas"),
                nil_is_zero=True,
            ),
        ],
    )
    return {
        "kind": "CustomResourceStateMetrics",
        "spec": {"resources": [sandbox, claim, pool]},
    }


def _resource(group: str, kind: str, prefix: str, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    own = prefix.removeprefix("kube_")
    return {
        "groupVersionKind": {"group": group, "version": _VERSION, "kind": kind},
        "metricNamePrefix": prefix,
        "labelsFromPath": {"namespace": ["metadata", "namespace"], own: ["metadata", "name"]},
        "metrics": metrics,
    }


def _metric(name: str, text: str, kind: str, **told: Any) -> dict[str, Any]:
    key = kind[0].lower() + kind[1:]
    return {"name": name, "help": text, "each": {"type": kind, key: told}}


def _gauge(name: str, text: str, *path: str, nil_is_zero: bool = False) -> dict[str, Any]:
    return _metric(name, text, "Gauge", path=list(path), nilIsZero=nil_is_zero)


def _created() -> dict[str, Any]:
    return _gauge("created", "When it was made, in Unix seconds.", "metadata", "creationTimestamp")


def _conditions() -> dict[str, Any]:
    return _metric(
        "condition",
        "Its conditions: 1 for True.",
        "Gauge",
        path=["status", "conditions"],
        labelsFromPath={"condition": ["type"]},
        valueFrom=["status"],
    )
