"""Attempts to steer isolation, by somebody to whom RBAC gave far too much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from corral.policy.steering import MANAGED_BY, MANAGER
from tests.policy.pods import OTHER_IMAGE, changed, ephemeral
from tests.proof.grounds import TOGETHER
from tests.proof.server import Server, Verdict, pods

_CORE = f"/api/v1/namespaces/{TOGETHER}"
_NAMESPACE = f"/api/v1/namespaces/{TOGETHER}"
_NETWORK = f"/apis/networking.k8s.io/v1/namespaces/{TOGETHER}/networkpolicies"
_RBAC = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{TOGETHER}"
_CLAIMS = f"/apis/extensions.agents.x-k8s.io/v1beta1/namespaces/{TOGETHER}"
_SANDBOXES = f"/apis/agents.x-k8s.io/v1beta1/namespaces/{TOGETHER}/sandboxes"

LIVE = f"{pods(TOGETHER)}/live-worker"
# Of a class that is smaller than the tenant's LimitRange allows.
SMALL = f"{pods(TOGETHER)}/live-judge"
POD_SECURITY = "violates PodSecurity"
GATED = f"{pods(TOGETHER)}/gated"


@dataclass(frozen=True, kw_only=True)
class Attack:
    """What is tried, and what the refusal says: a rule in brackets, or Pod Security's own words.
    `claimed` where the tenant's own orchestrator may try it as far as RBAC goes."""

    name: str
    says: str
    act: Callable[[Server], Verdict]
    claimed: bool = False


def _words(rule: str) -> str:
    return rule if rule == POD_SECURITY else f"[{rule}]"


def _patch(name: str, rule: str, path: str, patch: dict[str, Any]) -> Attack:
    def act(server: Server) -> Verdict:
        return server.patch(path, patch)

    return Attack(name=name, says=_words(rule), act=act)


def _edit(name: str, rule: str, pointer: str, value: Any) -> Attack:
    operation = {"op": "replace" if "image" in pointer else "add", "path": pointer, "value": value}

    def act(server: Server) -> Verdict:
        return server.send("PATCH", LIVE, [operation], content_type="application/json-patch+json")

    return Attack(name=name, says=_words(rule), act=act)


def _create(
    name: str, rule: str, collection: str, document: dict[str, Any], *, claimed: bool = False
) -> Attack:
    def act(server: Server) -> Verdict:
        return server.create(collection, document)

    return Attack(name=name, says=_words(rule), act=act, claimed=claimed)


def _delete(name: str, rule: str, path: str) -> Attack:
    return Attack(name=name, says=_words(rule), act=lambda server: server.delete(path))


def _labelled(key: str, value: str | None) -> dict[str, Any]:
    return {"metadata": {"labels": {key: value}}}


def _annotated(key: str, value: str | None) -> dict[str, Any]:
    return {"metadata": {"annotations": {key: value}}}


def _finalized(server: Server) -> Verdict:
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": TOGETHER, "labels": {}},
        "spec": {"finalizers": ["kubernetes"]},
    }
    return server.send("PUT", f"{_NAMESPACE}/finalize", namespace)


def _ephemeral(name: str, rule: str, *changes: tuple[tuple[str | int, ...], Any]) -> Attack:
    container = changed(ephemeral(), changes)
    patch = {"spec": {"ephemeralContainers": [container]}}
    return _patch(name, rule, f"{LIVE}/ephemeralcontainers", patch)


def _resized(**limits: str) -> Callable[[Server], Verdict]:
    def act(server: Server) -> Verdict:
        pod = server.api.get(SMALL)
        container = pod["spec"]["containers"][0]
        container["resources"]["limits"].update(limits)
        container["resources"]["requests"].update(limits)
        return server.send("PUT", f"{SMALL}/resize", pod)

    return act


_SCRATCH = {"name": "x", "labels": {MANAGED_BY: MANAGER}}
_ADMIN = {
    "apiGroup": "rbac.authorization.k8s.io",
    "kind": "ClusterRole",
    "name": "cluster-admin",
}

PODS: tuple[Attack, ...] = (
    _patch(
        "another agent class", "steering-change", LIVE, _labelled("corral.dev/agent-class", "judge")
    ),
    _patch("no agent class", "steering-change", LIVE, _labelled("corral.dev/agent-class", None)),
    _patch("a tier", "steering-labels", LIVE, _labelled("corral.dev/tier", "container")),
    _patch(
        "another tenant's name", "steering-labels", LIVE, _labelled("corral.dev/tenant", "globex")
    ),
    _patch(
        "its own tenant's name, later",
        "steering-change",
        LIVE,
        _labelled("corral.dev/tenant", "acme"),
    ),
    _patch(
        "a kernel parameter",
        "steering-annotations",
        LIVE,
        _annotated("io.katacontainers.config.hypervisor.kernel_params", "x"),
    ),
    _patch(
        "an address",
        "steering-annotations",
        LIVE,
        _annotated("cni.projectcalico.org/ipAddrs", "[]"),
    ),
    _patch(
        "an egress gateway",
        "steering-annotations",
        LIVE,
        _annotated("egress.projectcalico.org/selector", "all()"),
    ),
    _patch(
        "a label through the status",
        "steering-labels",
        f"{LIVE}/status",
        _labelled("corral.dev/tier", "container"),
    ),
    _patch(
        "a class through the status",
        "steering-change",
        f"{LIVE}/status",
        _labelled("corral.dev/agent-class", "judge"),
    ),
    _patch(
        "a mount through the status",
        "steering-annotations",
        f"{LIVE}/status",
        _annotated("dev.gvisor.spec.mount.x", "y"),
    ),
    _patch(
        "an address pool through the status",
        "steering-annotations",
        f"{LIVE}/status",
        _annotated("cni.projectcalico.org/ipv4pools", "[]"),
    ),
    _create(
        "an annotation through a binding",
        "binding-metadata",
        f"{GATED}/binding",
        {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": "gated", "annotations": {"io.katacontainers.config.x": "y"}},
            "target": {"kind": "Node", "name": "isolated-1"},
        },
    ),
    _create(
        "a class through a binding",
        "binding-metadata",
        f"{_CORE}/bindings",
        {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": "gated", "labels": {"corral.dev/agent-class": "judge"}},
            "target": {"kind": "Node", "name": "isolated-1"},
        },
    ),
    _edit("an image by tag", "image-digest", "/spec/containers/0/image", "agent:new"),
    _edit("a toleration", "tolerations", "/spec/tolerations/-", {"operator": "Exists"}),
    _patch(
        "a node while gated",
        "node-selector",
        GATED,
        {"spec": {"nodeSelector": {"kubernetes.io/hostname": "system-1"}}},
    ),
    _ephemeral("a root shell", POD_SECURITY, (("securityContext", "runAsUser"), 0)),
    _ephemeral(
        "a privileged shell",
        POD_SECURITY,
        (("securityContext", "capabilities", "add"), ["SYS_ADMIN"]),
    ),
    _ephemeral(
        "a shell as an account of the host", "uid", (("securityContext", "runAsUser"), 1000)
    ),
    _ephemeral(
        "a shell with a writable root",
        "read-only-root",
        (("securityContext", "readOnlyRootFilesystem"), False),
    ),
    _ephemeral("a shell from anywhere", "image-digest", (("image",), "busybox")),
    Attack(name="memory by resizing", says="[memory-within-class]", act=_resized(memory="3Gi")),
    Attack(name="CPU by resizing", says="[cpu-within-class]", act=_resized(cpu="1200m")),
)

NAMESPACES: tuple[Attack, ...] = (
    _patch(
        "Pod Security lifted",
        "namespace-steering",
        _NAMESPACE,
        _labelled("pod-security.kubernetes.io/enforce", "privileged"),
    ),
    _patch(
        "Pod Security of an old release",
        "namespace-steering",
        _NAMESPACE,
        _labelled("pod-security.kubernetes.io/enforce-version", "v1.20"),
    ),
    _patch(
        "no tenant any more", "namespace-steering", _NAMESPACE, _labelled("corral.dev/tenant", None)
    ),
    _patch(
        "another tenant", "namespace-name", _NAMESPACE, _labelled("corral.dev/tenant", "globex")
    ),
    _patch(
        "a weaker tier",
        "namespace-steering",
        _NAMESPACE,
        _labelled("corral.dev/tier", "container2"),
    ),
    _patch(
        "an address pool",
        "namespace-steering",
        _NAMESPACE,
        _annotated("cni.projectcalico.org/ipv4pools", "[]"),
    ),
    _patch(
        "another way out of the cluster",
        "namespace-steering",
        _NAMESPACE,
        _annotated("egress.projectcalico.org/egressGatewayPolicy", "corral-egress"),
    ),
    _patch(
        "a node selector",
        "namespace-steering",
        _NAMESPACE,
        _annotated("scheduler.alpha.kubernetes.io/node-selector", "a=b"),
    ),
    _patch(
        "no tenant, through the status",
        "namespace-steering",
        f"{_NAMESPACE}/status",
        _labelled("corral.dev/tenant", None),
    ),
    Attack(
        name="no tenant, through finalizing",
        says="[namespace-steering]",
        act=_finalized,
    ),
    _delete("the namespace deleted", "namespace-deletion", _NAMESPACE),
    _patch(
        "kube-system made a tenant's",
        "namespace-name",
        "/api/v1/namespaces/kube-system",
        _labelled("corral.dev/tenant", "acme"),
    ),
    _patch(
        "a foreign namespace given a tier",
        "namespace-steering",
        "/api/v1/namespaces/default",
        _labelled("corral.dev/tier", "gvisor"),
    ),
    _create(
        "a tenant of one's own",
        "namespace-steering",
        "/api/v1/namespaces",
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "agents-evil", "labels": {"corral.dev/tenant": "evil"}},
        },
    ),
)

GUARD_RAILS: tuple[Attack, ...] = (
    _patch(
        "larger bounds",
        "guard-rails",
        f"{_CORE}/serviceaccounts/sandbox",
        _annotated("corral.dev/worker.memory", "64Gi"),
    ),
    _patch(
        "another runtime",
        "guard-rails",
        f"{_CORE}/serviceaccounts/sandbox",
        _annotated("corral.dev/worker.runtime", "container"),
    ),
    _patch(
        "a token for every sandbox",
        "guard-rails",
        f"{_CORE}/serviceaccounts/sandbox",
        {"automountServiceAccountToken": True},
    ),
    _delete("no parameters", "guard-rails", f"{_CORE}/serviceaccounts/sandbox"),
    _patch(
        "a larger quota",
        "guard-rails",
        f"{_CORE}/resourcequotas/corral-agents",
        {"spec": {"hard": {"pods": "9999"}}},
    ),
    _delete("no quota", "guard-rails", f"{_CORE}/resourcequotas/corral-agents"),
    _delete("no quotas at all", "guard-rails", f"{_CORE}/resourcequotas"),
    _patch(
        "a quota that looks unused",
        "guard-rails",
        f"{_CORE}/resourcequotas/corral-agents/status",
        {"status": {"used": {"pods": "0"}}},
    ),
    _patch(
        "a quota that is nobody's",
        "guard-rails",
        f"{_CORE}/resourcequotas/corral-agents",
        _labelled(MANAGED_BY, None),
    ),
    _patch(
        "a quota that goes when something else does",
        "guard-rails",
        f"{_CORE}/resourcequotas/corral-agents",
        {
            "metadata": {
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "0"}
                ]
            }
        },
    ),
    _patch(
        "a quota the engine forgets",
        "guard-rails",
        f"{_CORE}/resourcequotas/corral-agents",
        _annotated("engine.corral.dev/retain", "true"),
    ),
    _patch(
        "larger limits",
        "guard-rails",
        f"{_CORE}/limitranges/corral-sandbox",
        {"spec": {"limits": []}},
    ),
    _delete("no network policy", "guard-rails", f"{_NETWORK}/corral-default-deny"),
    _patch(
        "a network policy of nobody",
        "guard-rails",
        f"{_NETWORK}/corral-default-deny",
        {"spec": {"podSelector": {"matchLabels": {"x": "y"}}}},
    ),
    _create(
        "a network policy that allows everything",
        "guard-rails",
        _NETWORK,
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "open"},
            "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]},
        },
    ),
    _create(
        "every right",
        "guard-rails",
        f"{_RBAC}/rolebindings",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "all"},
            "roleRef": _ADMIN,
            "subjects": [{"kind": "ServiceAccount", "name": "orchestrator", "namespace": TOGETHER}],
        },
    ),
    _delete(
        "its runtime, to make it anew", "guard-rails", "/apis/node.k8s.io/v1/runtimeclasses/gvisor"
    ),
    _patch(
        "other nodes for its runtime",
        "guard-rails",
        "/apis/node.k8s.io/v1/runtimeclasses/gvisor",
        {"scheduling": {"nodeSelector": None}},
    ),
    _patch(
        "a role with more rights",
        "guard-rails",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/corral-orchestrator",
        {"rules": []},
    ),
    _delete(
        "a priority nobody has",
        "guard-rails",
        "/apis/scheduling.k8s.io/v1/priorityclasses/agent-worker",
    ),
    _create(
        "an account of one's own",
        "guard-rails",
        f"{_CORE}/serviceaccounts",
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "mine"}},
    ),
    _create(
        "an object in the platform's name",
        "guard-rails",
        f"{_CORE}/configmaps",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _SCRATCH},
    ),
    _create(
        "a token that doesn't expire",
        "token-secret",
        f"{_CORE}/secrets",
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "token",
                "annotations": {"kubernetes.io/service-account.name": "orchestrator"},
            },
            "type": "kubernetes.io/service-account-token",
        },
    ),
)


def _claim(name: str, **metadata: Any) -> Attack:
    document = {
        "apiVersion": "extensions.agents.x-k8s.io/v1beta1",
        "kind": "SandboxClaim",
        "metadata": {"name": "claim"},
        "spec": {"warmPoolRef": {"name": "workers"}, "additionalPodMetadata": metadata},
    }
    return _create(name, "claim-metadata", f"{_CLAIMS}/sandboxclaims", document, claimed=True)


def _template(kind: str, version: str, **spec: Any) -> dict[str, Any]:
    pod = {"containers": [{"name": "agent", "image": OTHER_IMAGE}]}
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "template"},
        "spec": {"podTemplate": {"spec": pod, **spec.pop("podTemplate", {})}, **spec},
    }


CLAIMS: tuple[Attack, ...] = (
    _claim(
        "a claim with a kernel parameter",
        annotations={"io.katacontainers.config.hypervisor.kernel_params": "x"},
    ),
    _claim("a claim with an address", annotations={"cni.projectcalico.org/ipAddrs": "[]"}),
    _claim(
        "a claim with an egress gateway", annotations={"egress.projectcalico.org/selector": "all()"}
    ),
    _claim("a claim with another class", labels={"corral.dev/agent-class": "judge"}),
    _create(
        "a sandbox with a mount",
        "template-metadata",
        _SANDBOXES,
        _template(
            "Sandbox",
            "agents.x-k8s.io/v1beta1",
            podTemplate={"metadata": {"annotations": {"dev.gvisor.spec.mount.x": "y"}}},
        ),
    ),
    _create(
        "a sandbox of another tenant",
        "template-metadata",
        _SANDBOXES,
        _template(
            "Sandbox",
            "agents.x-k8s.io/v1beta1",
            podTemplate={"metadata": {"labels": {"corral.dev/tenant": "globex"}}},
        ),
    ),
    _create(
        "a template that opens the internet",
        "template-network",
        f"{_CLAIMS}/sandboxtemplates",
        _template(
            "SandboxTemplate",
            "extensions.agents.x-k8s.io/v1beta1",
            networkPolicyManagement="Managed",
        ),
    ),
    _create(
        "a template that leaves it to the default, which opens the internet",
        "template-network",
        f"{_CLAIMS}/sandboxtemplates",
        _template("SandboxTemplate", "extensions.agents.x-k8s.io/v1beta1"),
    ),
)


def _volume(name: str, rule: str = "volume-source", **spec: Any) -> Attack:
    """A claim of a volume that isn't made for it, or is none for a sandbox."""
    document = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "taken"},
        "spec": {
            "accessModes": ["ReadWriteOncePod"],
            "storageClassName": "corral-local",
            "resources": {"requests": {"storage": "1Gi"}},
            **spec,
        },
    }
    path = f"/api/v1/namespaces/{TOGETHER}/persistentvolumeclaims"
    return _create(name, rule, path, document)


VOLUMES: tuple[Attack, ...] = (
    _volume("a volume by its name", volumeName="of-globex"),
    _volume("a volume by its labels", selector={"matchLabels": {"tenant": "globex"}}),
    _volume("a volume of no class", storageClassName=""),
    _volume("a raw device", "volume-mode", volumeMode="Block"),
)

ATTACKS = (*PODS, *NAMESPACES, *GUARD_RAILS, *CLAIMS, *VOLUMES)
