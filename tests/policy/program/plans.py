"""A good plan, from the platform's own documents, and plans one change away from it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from components.documents import type_token
from components.isolation.priority_class import priority_class_document
from components.isolation.runtime_class import runtime_class_document
from components.tenancy.limit_range import limit_range_document
from components.tenancy.namespace import tenant_namespace_document
from components.tenancy.network_policy import default_deny_document
from components.tenancy.probe_namespace import (
    probe_account_document,
    probe_namespace_document,
    probe_quota_document,
)
from components.tenancy.quota import quota_documents
from components.tenancy.rights import cluster_role_documents, role_binding_documents
from components.tenancy.service_accounts import service_account_documents
from corral.policy.admission import admission_documents
from tests.policy.pods import CLASSES, TENANT, Document, Path, changed, good_pod

PREFIX = "urn:pulumi:test::corral::corral:platform:Platform$"

Plan = list[Document]


def urn(document: Document) -> str:
    """The URN of a document's resource."""
    metadata = document["metadata"]
    name = "/".join(filter(None, [metadata.get("namespace"), metadata["name"]]))
    return f"{PREFIX}{type_token(document)}::{name}"


def entry(document: Document, dependencies: list[str] | None = None) -> Document:
    """A document as a plan lists it."""
    return {
        "urn": urn(document),
        "type": type_token(document),
        "name": document["metadata"]["name"],
        "inputs": document,
        "dependencies": dependencies or [],
    }


def good_plan() -> Plan:
    """One tenant with everything around it, workloads of its own and of the platform."""
    fences = list(_fences())
    bindings = list(role_binding_documents("acme", TENANT))
    return [
        *map(entry, _platform()),
        *map(entry, fences),
        *(entry(binding, [urn(fence) for fence in fences]) for binding in bindings),
        *map(entry, (platform_workload(), sandbox_template(), secret())),
    ]


def _platform() -> Iterator[Document]:
    for runtime in {agent.runtime_name: agent.served_by for agent in CLASSES.values()}.values():
        yield runtime_class_document(runtime)
    for name in CLASSES:
        yield priority_class_document(name, 100)
    yield from cluster_role_documents()
    yield from admission_documents(True)
    yield from (probe_namespace_document(), probe_account_document(), probe_quota_document())


def _fences() -> Iterator[Document]:
    yield tenant_namespace_document("acme", TENANT.tier)
    yield default_deny_document("acme")
    yield limit_range_document("acme", TENANT, CLASSES)
    yield from quota_documents("acme", TENANT, CLASSES)
    yield from service_account_documents("acme", CLASSES)


def platform_workload() -> Document:
    """A workload of the platform itself, which needs a token."""
    pod = good_pod("worker")
    for key in ("runtimeClassName", "priorityClassName", "initContainers"):
        del pod["spec"][key]
    spec = {**pod["spec"], "serviceAccountName": "warden", "automountServiceAccountToken": True}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "warden", "namespace": "corral-system"},
        "spec": {"template": {"metadata": {"labels": {"app": "warden"}}, "spec": spec}},
    }


def sandbox_template() -> Document:
    """What agent-sandbox makes a tenant's sandboxes from."""
    pod = good_pod("worker")
    return {
        "apiVersion": "extensions.agents.x-k8s.io/v1beta1",
        "kind": "SandboxTemplate",
        "metadata": {"name": "worker", "namespace": "agents-acme"},
        "spec": {
            "networkPolicyManagement": "Unmanaged",
            "podTemplate": {"metadata": pod["metadata"], "spec": pod["spec"]},
        },
    }


def secret() -> Document:
    """A Secret whose value the plan doesn't show."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token", "namespace": "corral-system"},
        "stringData": {"token": {"$corral": "secret"}},
    }


def find(plan: Plan, kind: str, name: str) -> Document:
    """The plan's entry of that kind and name, which may be said with its namespace."""
    found: Document = next(
        e
        for e in plan
        if e["type"].endswith(f":{kind}") and f"/{e['urn']}".endswith((f":{name}", f"/{name}"))
    )
    return found


def broken(kind: str, name: str, *changes: tuple[Path, Any]) -> Plan:
    """The good plan with changes to the inputs of one resource."""
    plan = copy.deepcopy(good_plan())
    target = find(plan, kind, name)
    target["inputs"] = changed(target["inputs"], changes)
    return plan
