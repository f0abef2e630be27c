"""Who may do what: tenants claim sandboxes and look on, and nobody gets everything by accident."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.document import Document, entries, pairs, texts
from corral.policy.parameters import PROBE_NAMESPACE
from corral.policy.program.exemptions import exempt
from corral.policy.program.resource import Plan, Resource
from corral.policy.program.rule import PlanRule, ResourceRule
from corral.policy.rule import Offence, Severity
from corral.settings.tenants import NAMESPACE_PREFIX

_RBAC = "rbac.authorization.k8s.io"
_WRITES = ("create", "update", "patch", "delete", "deletecollection", "*")
_LOOKS = ("get", "list", "watch", *_WRITES)

# What a tenant may not, by group/resource: it would make, change or impersonate sandboxes.
_FORBIDDEN: dict[str, tuple[str, ...]] = {
    **{
        f"/{resource}": _WRITES
        for resource in (
            "pods",
            "pods/ephemeralcontainers",
            "pods/resize",
            "pods/status",
            "pods/binding",
            "bindings",
            "serviceaccounts",
            "serviceaccounts/token",
            "resourcequotas",
            "limitranges",
            "namespaces",
        )
    },
    "/secrets": _LOOKS,
    "/nodes/proxy": _LOOKS,
    "networking.k8s.io/networkpolicies": _WRITES,
    f"{_RBAC}/roles": (*_WRITES, "bind", "escalate"),
    f"{_RBAC}/clusterroles": (*_WRITES, "bind", "escalate"),
    f"{_RBAC}/rolebindings": _WRITES,
    "/users": ("impersonate", "*"),
    "/groups": ("impersonate", "*"),
    "extensions.agents.x-k8s.io/sandboxtemplates": _WRITES,
    "extensions.agents.x-k8s.io/sandboxwarmpools": _WRITES,
    "agents.x-k8s.io/sandboxes": _WRITES,
}
_TOO_MUCH = ("cluster-admin", "admin", "edit")
_EVERYBODY = ("system:authenticated", "system:unauthenticated", "system:serviceaccounts")


def _role_offences(role: Document) -> Iterator[Offence]:
    for number, rule in enumerate(entries(role, "rules")):
        verbs, where = texts(rule, "verbs"), f"rules[{number}]"
        for field in ("verbs", "resources", "apiGroups"):
            if "*" in texts(rule, field):
                yield Offence(field=f"{where}.{field}", value="*")
        for group in texts(rule, "apiGroups"):
            for resource in texts(rule, "resources"):
                forbidden = _FORBIDDEN.get(f"{group}/{resource}", ())
                for verb in verbs:
                    if verb in forbidden and verb != "*":
                        yield Offence(field=f"{where}.{resource}", value=verb)


def _tenant_rights(plan: Plan) -> Iterator[tuple[Resource, Offence]]:
    roles = {
        (role.kind, role.namespace, role.name): role
        for role in plan.of(_RBAC, "Role", "ClusterRole")
    }
    for binding in plan.of(_RBAC, "RoleBinding", "ClusterRoleBinding"):
        if not _is_tenants(binding):
            continue
        reference = pairs(binding.document, "roleRef")
        kind, name = str(reference.get("kind", "")), str(reference.get("name", ""))
        if name in _TOO_MUCH or name.startswith("system:"):
            yield binding, Offence(field="roleRef.name", value=name)
        role = roles.get((kind, binding.namespace if kind == "Role" else "", name))
        for offence in _role_offences(role.document) if role else ():
            yield binding, Offence(field=f"{kind} {name}: {offence.field}", value=offence.value)


def _is_tenants(binding: Resource) -> bool:
    return binding.tenants or any(
        str(subject.get("namespace", "")).startswith(NAMESPACE_PREFIX)
        for subject in entries(binding.document, "subjects")
    )


def _cluster_wide(resource: Resource) -> Iterator[Offence]:
    if not resource.is_a(_RBAC, "ClusterRoleBinding"):
        return
    for subject in entries(resource.document, "subjects"):
        namespace = str(subject.get("namespace", ""))
        if namespace.startswith(NAMESPACE_PREFIX):
            yield Offence(field="subjects", value=f"{namespace}/{subject.get('name', '')}")


def _administrators(resource: Resource) -> Iterator[Offence]:
    if not resource.is_a(_RBAC, "ClusterRoleBinding", "RoleBinding"):
        return
    name = pairs(resource.document, "roleRef").get("name")
    if name == "cluster-admin" and not exempt("cluster-admin", resource.document):
        yield Offence(field="roleRef.name", value=name)


def _everybody(resource: Resource) -> Iterator[Offence]:
    if not resource.is_a(_RBAC, "ClusterRoleBinding", "RoleBinding"):
        return
    for subject in entries(resource.document, "subjects"):
        name = str(subject.get("name", ""))
        anonymous = subject.get("kind") == "User" and name == "system:anonymous"
        if anonymous or (subject.get("kind") == "Group" and name.startswith(_EVERYBODY)):
            yield Offence(field="subjects", value=name)


def _mounted_tokens(resource: Resource) -> Iterator[Offence]:
    if not resource.is_a("", "ServiceAccount"):
        return
    # A publisher's account is there for one program, which asks the API server and says it nowhere
    # else; most charts have no value for it.
    if resource.of_a_chart and not resource.tenants:
        return
    value = resource.document.get("automountServiceAccountToken")
    if value is not False and not exempt("account-tokens", resource.document):
        yield Offence(field="automountServiceAccountToken", value=value)


def _rights_before_fences(plan: Plan) -> Iterator[tuple[Resource, Offence]]:
    for binding in plan.of(_RBAC, "RoleBinding"):
        if not binding.tenants or binding.namespace == PROBE_NAMESPACE:
            continue
        for group, kind in (
            ("", "ResourceQuota"),
            ("", "LimitRange"),
            ("", "ServiceAccount"),
            ("networking.k8s.io", "NetworkPolicy"),
        ):
            for fence in plan.within(binding.namespace, group, kind):
                if fence.urn not in binding.dependencies:
                    yield (
                        binding,
                        Offence(field="dependencies", value=f"without {kind} {fence.name}"),
                    )


RESOURCE_RULES: tuple[ResourceRule, ...] = (
    ResourceRule(
        id="rights-everywhere",
        severity=Severity.CRITICAL,
        title="A tenant's account has rights in its own namespace only",
        why="A ClusterRoleBinding reaches every other tenant.",
        fix="use a RoleBinding in the tenant's namespace",
        offences=_cluster_wide,
    ),
    ResourceRule(
        id="cluster-admin",
        severity=Severity.CRITICAL,
        title="Nothing that the program registers is bound to cluster-admin",
        why="Whoever has it is above every wall, this one included.",
        fix="bind a role with the rights that are needed, or exempt it with a reason",
        offences=_administrators,
    ),
    ResourceRule(
        id="rights-for-everybody",
        severity=Severity.CRITICAL,
        title="Rights are given to somebody, not to everybody",
        why="These groups hold every account of the cluster, sandboxes' included.",
        fix="name the group or account that needs them",
        offences=_everybody,
    ),
    ResourceRule(
        id="account-tokens",
        severity=Severity.HIGH,
        title="A service account's token is mounted only where a pod asks for it",
        why="What is mounted by default is there for whoever breaks in.",
        fix="set automountServiceAccountToken: false on it, and true on the pods that need it",
        offences=_mounted_tokens,
    ),
)

PLAN_RULES: tuple[PlanRule, ...] = (
    PlanRule(
        id="tenant-rights",
        severity=Severity.CRITICAL,
        title="Tenants claim sandboxes and look on: no wildcards, nothing that makes or changes "
        "pods, reads Secrets, or gives rights",
        why="What a tenant creates itself is judged by admission alone; what it can't create needs "
        "no judging.",
        fix="take the verb or the wildcard out of the role",
        offences=_tenant_rights,
    ),
    PlanRule(
        id="rights-after-fences",
        severity=Severity.HIGH,
        title="Rights in a tenant's namespace come after everything that fences it in",
        why="Whoever is first may start what nothing holds back.",
        fix="let the RoleBinding depend on it",
        offences=_rights_before_fences,
    ),
)
