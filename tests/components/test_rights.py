"""What the tenants' roles can do, and above all what they can't."""

from __future__ import annotations

import pytest

from components.documents import Document
from components.tenancy.network_policy import default_deny_document
from components.tenancy.rights import cluster_role_documents, role_binding_documents
from components.tenancy.service_accounts import service_account_documents
from tests.components.examples import agent_class, tenant

ROLES = {document["metadata"]["name"]: document for document in cluster_role_documents()}
CLAIMS = "extensions.agents.x-k8s.io"


def may(role: str, verb: str, resource: str, group: str = "") -> bool:
    """Whether a role gives the right, as RBAC reads its rules."""
    return any(
        verb in rule["verbs"] and resource in rule["resources"] and group in rule["apiGroups"]
        for rule in ROLES[role]["rules"]
    )


@pytest.mark.parametrize(
    ("verb", "resource", "group"),
    [
        ("create", "sandboxclaims", CLAIMS),
        ("delete", "sandboxclaims", CLAIMS),
        ("watch", "sandboxclaims", CLAIMS),
        ("get", "sandboxwarmpools", CLAIMS),
        ("list", "sandboxes", "agents.x-k8s.io"),
        ("get", "pods", ""),
        ("get", "pods/log", ""),
        ("list", "events", ""),
        ("list", "resourcequotas", ""),
    ],
)
def test_an_orchestrator_may(verb: str, resource: str, group: str) -> None:
    assert may("corral-orchestrator", verb, resource, group)


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize(
    ("verb", "resource", "group"),
    [
        *((verb, "pods", "") for verb in ("create", "update", "patch", "delete")),
        *((verb, "pods/ephemeralcontainers", "") for verb in ("get", "update", "patch")),
        *((verb, "pods/resize", "") for verb in ("get", "update", "patch")),
        ("create", "pods/attach", ""),
        ("create", "pods/portforward", ""),
        ("create", "pods/binding", ""),
        *((verb, "secrets", "") for verb in ("get", "list", "watch", "create")),
        ("get", "configmaps", ""),
        ("create", "serviceaccounts/token", ""),
        ("impersonate", "serviceaccounts", ""),
        *((verb, "sandboxclaims", CLAIMS) for verb in ("update", "patch", "deletecollection")),
        *((verb, "sandboxes", "agents.x-k8s.io") for verb in ("create", "update", "patch")),
        *((verb, "sandboxtemplates", CLAIMS) for verb in ("create", "update", "patch")),
        *((verb, "sandboxwarmpools", CLAIMS) for verb in ("create", "update", "patch")),
        ("create", "networkpolicies", "networking.k8s.io"),
        ("update", "resourcequotas", ""),
        ("create", "rolebindings", "rbac.authorization.k8s.io"),
        ("bind", "clusterroles", "rbac.authorization.k8s.io"),
        ("escalate", "clusterroles", "rbac.authorization.k8s.io"),
        ("administer", "tenants", "corral.dev"),
    ],
)
def test_nobody_may(role: str, verb: str, resource: str, group: str) -> None:
    assert not may(role, verb, resource, group)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_rights_are_all_written_out(role: str) -> None:
    for rule in ROLES[role]["rules"]:
        assert "*" not in [*rule["verbs"], *rule["resources"], *rule["apiGroups"]]


def test_readers_change_nothing() -> None:
    verbs = {verb for rule in ROLES["corral-reader"]["rules"] for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}


def test_exec_is_a_role_of_its_own_and_gives_nothing_else() -> None:
    assert may("corral-orchestrator-exec", "create", "pods/exec")
    assert not may("corral-orchestrator", "create", "pods/exec")
    (rule,) = ROLES["corral-orchestrator-exec"]["rules"]
    assert rule["resources"] == ["pods/exec"]


def bindings(**changes: object) -> dict[str, Document]:
    """A tenant's RoleBindings by name."""
    found = role_binding_documents("acme", tenant(**changes))
    return {document["metadata"]["name"]: document for document in found}


def test_without_people_there_is_only_the_orchestrator_s_account() -> None:
    found = bindings()
    assert set(found) == {"corral-orchestrator"}
    assert found["corral-orchestrator"]["subjects"] == [
        {"kind": "ServiceAccount", "name": "orchestrator", "namespace": "agents-acme"}
    ]


def test_groups_get_what_the_stack_gives_them() -> None:
    found = bindings(orchestrator={"groups": ["operators"], "exec": True}, readers=["watchers"])
    assert set(found) == {"corral-orchestrator", "corral-orchestrator-exec", "corral-reader"}
    groups = {
        name: [subject["name"] for subject in document["subjects"] if subject["kind"] == "Group"]
        for name, document in found.items()
    }
    assert groups == {
        "corral-orchestrator": ["operators"],
        "corral-orchestrator-exec": ["operators"],
        "corral-reader": ["watchers"],
    }
    assert all(document["roleRef"]["name"] == name for name, document in found.items())


def test_no_account_has_its_token_mounted() -> None:
    accounts = service_account_documents("acme", {"worker": agent_class()})
    assert [account["metadata"]["name"] for account in accounts] == ["sandbox", "orchestrator"]
    assert [account["automountServiceAccountToken"] for account in accounts] == [False, False]


def test_sandboxes_account_is_bound_to_nothing() -> None:
    found = bindings(orchestrator={"groups": ["operators"], "exec": True}, readers=["watchers"])
    subjects = [subject for document in found.values() for subject in document["subjects"]]
    assert not [subject for subject in subjects if subject["name"] == "sandbox"]


def test_nothing_gets_in_or_out_of_a_new_tenant_s_namespace() -> None:
    spec = default_deny_document("acme")["spec"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}, "no rule allows"
