"""The admission policies: what each matches, and the CEL variables that its rules share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from corral.policy.cel import container_list
from corral.policy.parameters import CEL_CLASSES, CEL_RESOLVER, cel_of_class
from corral.policy.steering import CLASS_LABEL

IDENTITY = "corral-sandbox-identity"
RESOURCES = "corral-sandbox-resources"
PLACEMENT = "corral-sandbox-placement"
HOST = "corral-sandbox-host"
METADATA = "corral-sandbox-metadata"
IMAGES = "corral-sandbox-images"
CLAIMS = "corral-sandbox-claims"
VOLUMES = "corral-sandbox-volumes"
TENANT_NAMESPACE = "corral-tenant-namespace"
GUARDRAILS = "corral-tenant-guardrails"
NODE_VERIFICATION = "corral-node-verification"


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """Requests that a policy judges; resources may name subresources ("pods/resize")."""

    groups: tuple[str, ...] = ("",)
    versions: tuple[str, ...] = ("v1",)
    resources: tuple[str, ...]
    operations: tuple[str, ...]
    scope: str = "*"
    """"Namespaced" where a wildcard is not to reach the cluster's own objects."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """One ValidatingAdmissionPolicy. Its rules are those that name it, in the rule set's order.

    A policy with parameters refuses what it matches once they are gone, and a namespace's
    contents go in any order when it is deleted. So no policy with parameters judges updates of
    pods themselves: their finalizers must still come off.
    """

    name: str
    title: str
    matches: tuple[Match, ...]
    excludes: tuple[Match, ...] = ()
    parameters: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    """Name → expression, in order; `$object` and `$name` as in a rule's CEL."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Name → expression that doesn't depend on the document."""
    conditions: Mapping[str, str] = field(default_factory=dict)
    """Name → expression that must hold for a request to be judged at all."""
    every_namespace: bool = False
    """Whether it judges beyond tenants' namespaces too."""

    @property
    def judges_updates(self) -> bool:
        """Whether some request it matches has an old document to compare with."""
        return any("UPDATE" in match.operations for match in self.matches)


AGENT_CLASS = f"$object.metadata.?labels[?'{CLASS_LABEL}'].orValue('')"
# An unknown class has no room at all: whatever the class's own rule says, nothing gets in by it.
NO_ROOM = "0"
NO_CLASS = "(unknown class)"

_CREATE = ("CREATE",)
_UPDATE = ("UPDATE",)
_WRITES = ("CREATE", "UPDATE", "DELETE")

# A kubelet's status, a finalizer: what leaves alone what is judged is let through unread.
_SPEC_CHANGED = {"new-or-changed": "request.operation == 'CREATE' || object.spec != oldObject.spec"}
_METADATA_CHANGED = {
    "new-or-changed": "request.operation == 'CREATE' "
    "|| object.metadata.?labels.orValue({}) != oldObject.metadata.?labels.orValue({}) "
    "|| object.metadata.?annotations.orValue({}) != oldObject.metadata.?annotations.orValue({})"
}
_ALL_CONTAINERS = container_list("containers", "initContainers", "ephemeralContainers")
_SANDBOX_GROUPS = ("agents.x-k8s.io", "extensions.agents.x-k8s.io")


POLICIES: tuple[Policy, ...] = (
    Policy(
        name=IDENTITY,
        title="Of which class a sandbox is, and who it runs as",
        parameters=True,
        matches=(
            Match(resources=("pods",), operations=_CREATE),
            Match(resources=("pods/ephemeralcontainers",), operations=_UPDATE),
        ),
        constants={"classes": CEL_CLASSES, "resolver": CEL_RESOLVER},
        variables={
            "agent_class": AGENT_CLASS,
            "containers": _ALL_CONTAINERS,
            "host_users": cel_of_class("host-users", "false"),
            "runtime": cel_of_class("runtime", NO_CLASS),
            "priority_class": cel_of_class("priority-class", NO_CLASS),
        },
    ),
    Policy(
        name=RESOURCES,
        title="What a sandbox may use",
        parameters=True,
        matches=(
            Match(resources=("pods",), operations=_CREATE),
            Match(resources=("pods/resize",), operations=_UPDATE),
        ),
        constants={"classes": CEL_CLASSES},
        variables={
            "agent_class": AGENT_CLASS,
            "cpu_bound": cel_of_class("cpu", NO_ROOM),
            "memory_bound": cel_of_class("memory", NO_ROOM),
            "disk_bound": cel_of_class("disk", NO_ROOM),
            "memory_ratio": cel_of_class("memory-ratio", "1"),
            "resource_names": "['cpu', 'memory', 'ephemeral-storage'] + "
            + cel_of_class("extended-resources", "")
            + ".split(',')",
            # Ephemeral containers can't have resources: they live in what the pod has.
            "sized": container_list("containers", "initContainers"),
            "steps": "$sized.filter(c, c.at.startsWith('spec.initContainers') "
            "&& c.is.?restartPolicy.orValue('') != 'Always')",
            "sidecars": "$sized.filter(c, c.at.startsWith('spec.initContainers') "
            "&& c.is.?restartPolicy.orValue('') == 'Always')",
            "running": "$sized.filter(c, c.at.startsWith('spec.containers')) + $sidecars",
            "scratch": "$object.spec.?volumes.orValue([]).filter(v, has(v.emptyDir))",
        },
    ),
    Policy(
        name=PLACEMENT,
        title="Where a sandbox runs",
        matches=(Match(resources=("pods",), operations=("CREATE", "UPDATE")),),
        conditions=_SPEC_CHANGED,
    ),
    Policy(
        name=HOST,
        title="What a sandbox may touch of its host",
        matches=(
            Match(resources=("pods",), operations=_CREATE),
            Match(resources=("pods/ephemeralcontainers",), operations=_UPDATE),
        ),
        variables={"containers": _ALL_CONTAINERS},
    ),
    Policy(
        name=METADATA,
        title="Labels and annotations that steer a sandbox's isolation",
        matches=(
            Match(resources=("pods",), operations=("CREATE", "UPDATE")),
            # Their metadata becomes the pod's.
            Match(resources=("pods/status",), operations=_UPDATE),
            Match(resources=("pods/binding", "bindings"), operations=_CREATE),
        ),
        conditions=_METADATA_CHANGED,
    ),
    Policy(
        name=IMAGES,
        title="Which images a sandbox runs",
        matches=(
            Match(resources=("pods",), operations=("CREATE", "UPDATE")),
            Match(resources=("pods/ephemeralcontainers",), operations=_UPDATE),
        ),
        conditions=_SPEC_CHANGED,
        variables={"containers": _ALL_CONTAINERS},
    ),
    Policy(
        name=CLAIMS,
        title="What sandbox claims and templates may ask for",
        matches=(
            Match(
                groups=_SANDBOX_GROUPS,
                versions=("*",),
                resources=("sandboxes", "sandboxclaims", "sandboxtemplates"),
                operations=("CREATE", "UPDATE"),
            ),
        ),
    ),
    Policy(
        name=VOLUMES,
        title="What volumes a tenant may claim",
        matches=(Match(resources=("persistentvolumeclaims",), operations=("CREATE", "UPDATE")),),
    ),
    Policy(
        name=TENANT_NAMESPACE,
        title="What makes a namespace a tenant's",
        every_namespace=True,
        matches=(
            Match(resources=("namespaces",), operations=_WRITES),
            Match(resources=("namespaces/status", "namespaces/finalize"), operations=_UPDATE),
        ),
    ),
    Policy(
        name=GUARDRAILS,
        title="The objects that fence a tenant in",
        matches=(
            Match(
                groups=("*",),
                versions=("*",),
                resources=("*",),
                operations=_WRITES,
                scope="Namespaced",
            ),
            Match(resources=("resourcequotas/status",), operations=_UPDATE),
            # A namespace selector doesn't hold these back.
            Match(groups=("node.k8s.io",), resources=("runtimeclasses",), operations=_WRITES),
            Match(
                groups=("scheduling.k8s.io",), resources=("priorityclasses",), operations=_WRITES
            ),
            Match(
                groups=("rbac.authorization.k8s.io",),
                resources=("clusterroles", "clusterrolebindings"),
                operations=_WRITES,
            ),
        ),
        # Pods have policies of their own; the others are many and fence nothing in.
        excludes=(
            Match(resources=("pods", "events", "bindings"), operations=("*",)),
            Match(groups=("events.k8s.io",), resources=("events",), operations=("*",)),
            Match(groups=("coordination.k8s.io",), resources=("leases",), operations=("*",)),
            Match(groups=("discovery.k8s.io",), resources=("endpointslices",), operations=("*",)),
        ),
    ),
    Policy(
        name=NODE_VERIFICATION,
        title="Who says that a node's runtimes are proven",
        every_namespace=True,
        matches=(Match(resources=("nodes",), operations=("CREATE", "UPDATE"), scope="Cluster"),),
    ),
)
