"""Pods that every wall lets through, all together."""

from __future__ import annotations

from typing import Any

from tests.policy.cases.case import Case, below_spec
from tests.policy.pods import CLASSES, OTHER_IMAGE, REMOVED, Path, container

_PROBE = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5}
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def _good(name: str, path: str | Path, value: Any, base: str = "worker") -> Case:
    return Case(name=name, changes=((below_spec(path), value),), base=base)


def _volume(kind: str, source: dict[str, Any]) -> Case:
    return _good(f"a {kind} volume", "volumes.3", {"name": "more", kind: source})


_PROJECTED = {
    "sources": [
        {"configMap": {"name": "settings"}},
        {"secret": {"name": "model-key"}},
        {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    ]
}
_SPREAD = {
    "maxSkew": 1,
    "topologyKey": "topology.kubernetes.io/zone",
    "whenUnsatisfiable": "ScheduleAnyway",
    "labelSelector": {"matchLabels": {"app": "agent"}},
}
_OWN_TERM = {
    "topologyKey": "kubernetes.io/hostname",
    "labelSelector": {"matchLabels": {"app": "agent"}},
}

CASES: tuple[Case, ...] = (
    *(Case(name=f"a {name}", base=name) for name in CLASSES),
    *(
        _good(f"a {name} without init containers", "initContainers", REMOVED, name)
        for name in CLASSES
    ),
    *(
        Case(
            name=f"a {name} with all its class allows",
            changes=(
                (("spec", "initContainers"), []),
                (
                    ("spec", "containers", 0, "resources", "limits"),
                    {"cpu": cpu, "memory": memory, "ephemeral-storage": disk},
                ),
            ),
            base=name,
        )
        for name, cpu, memory, disk in (
            ("worker", "4", "8Gi", "20Gi"),
            ("planner", "2", "4Gi", "10Gi"),
            ("judge", "1", "2Gi", "5Gi"),
        )
    ),
    _good("its tenant's own label", ("metadata", "labels", "corral.dev/tenant"), "acme"),
    _good("a label of anybody's", ("metadata", "labels", "example.org/team"), "red"),
    _good(
        "an annotation that is nobody's", ("metadata", "annotations", "corral.development/x"), "y"
    ),
    _good("no annotations", ("metadata", "annotations"), REMOVED),
    _good(
        "kept by the autoscaler", ("metadata", "annotations", "karpenter.sh/do-not-disrupt"), "true"
    ),
    _good("a container with a user of its own", "containers.0.securityContext.runAsUser", 20000),
    _good("the lowest user id", "securityContext.runAsUser", 10000),
    _good(
        "a container that says what the pod says", "containers.0.securityContext.runAsNonRoot", True
    ),
    _good(
        "a profile on the container",
        "containers.0.securityContext.seccompProfile",
        {"type": "RuntimeDefault"},
    ),
    _good("AppArmor's default", "securityContext.appArmorProfile", {"type": "RuntimeDefault"}),
    _good("privileged said not to be", "containers.0.securityContext.privileged", False),
    _good("/proc masked, said so", "containers.0.securityContext.procMount", "Default"),
    _good("no fsGroup", "securityContext.fsGroup", REMOVED),
    _good("further groups", "securityContext.supplementalGroups", [10002, 20000]),
    _good(
        "a setting of its own network",
        "securityContext.sysctls",
        [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
    ),
    _good("no word on tokens", "automountServiceAccountToken", REMOVED),
    _good("a user namespace where none is asked for", "hostUsers", True),
    _good("Linux, said so", "os.name", "linux"),
    _good("a port of its own", "containers.0.ports", [{"containerPort": 8080, "name": "http"}]),
    _good("a liveness probe", "containers.0.livenessProbe", _PROBE),
    _good(
        "a readiness probe by command",
        "containers.0.readinessProbe",
        {"exec": {"command": ["true"]}},
    ),
    _good(
        "a start-up probe of a sidecar",
        "initContainers.1.startupProbe",
        {"tcpSocket": {"port": 80}},
    ),
    _good("a gRPC probe", "containers.0.livenessProbe", {"grpc": {"port": 9000}}),
    _good(
        "hooks",
        "containers.0.lifecycle",
        {"preStop": {"exec": {"command": ["sync"]}}, "postStart": {"httpGet": {"port": 80}}},
    ),
    _volume("configMap", {"name": "settings"}),
    _volume("secret", {"secretName": "model-key"}),
    _volume("downwardAPI", {"items": [{"path": "x", "fieldRef": {"fieldPath": "metadata.name"}}]}),
    _volume("projected", _PROJECTED),
    _volume("persistentVolumeClaim", {"claimName": "more"}),
    _volume("emptyDir", {"sizeLimit": "18Gi"}),
    _good("a second container", "containers.1", container("second", "1", "1Gi", "1Gi")),
    _good("a second image", "initContainers.0.image", OTHER_IMAGE),
    _good("a restart policy", "restartPolicy", "Never"),
    _good("a deadline", "activeDeadlineSeconds", 86_400),
    _good("an hour to end in", "terminationGracePeriodSeconds", 3600),
    _good("spread over zones", "topologySpreadConstraints", [_SPREAD]),
    _good("in one zone", ("spec", "nodeSelector", "topology.kubernetes.io/zone"), "eu-west-1a"),
    _good("away from its own kind", "affinity", {"podAntiAffinity": {_REQUIRED: [_OWN_TERM]}}),
    _good("its own tier, said so", ("spec", "nodeSelector", "corral.dev/tier"), "microvm"),
    _good(
        "a dead node tolerated briefly",
        "tolerations",
        [
            {
                "key": "node.kubernetes.io/unreachable",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 30,
            }
        ],
    ),
    _good(
        "half the memory where the class says so",
        ("spec", "containers", 0, "resources", "requests"),
        {"memory": "512Mi"},
        "shared",
    ),
    _good(
        "a share of memory",
        ("spec", "containers", 0, "resources", "requests"),
        {"memory": "256Mi", "cpu": "100m"},
        "planner",
    ),
    _good(
        "resources for the pod as a whole",
        "resources",
        {"limits": {"cpu": "2", "memory": "4Gi"}, "requests": {"memory": "4Gi"}},
    ),
    _good(
        "environment from a Secret", "containers.0.envFrom", [{"secretRef": {"name": "model-key"}}]
    ),
    _good("a DNS setting", "dnsConfig.options", [{"name": "ndots", "value": "1"}]),
    _good("a scheduling gate", "schedulingGates", [{"name": "example.org/quota"}]),
    Case(name="an ephemeral container", ephemeral=True),
    Case(
        name="an ephemeral container with another image",
        changes=((("image",), OTHER_IMAGE),),
        ephemeral=True,
    ),
    Case(name="an ephemeral container in gVisor", base="planner", ephemeral=True),
    Case(
        name="a guest's own policy against its node",
        changes=((("metadata", "annotations", "sandbox.amazonaws.com/policy"), "cGVybWl0"),),
    ),
)
