"""The accounts of a tenant's namespace."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.documents import Document, metadata
from components.tenancy.namespace import tenant_namespace
from corral.policy.parameters import RESOLVER_PARAMETER, SANDBOX_ACCOUNT, tenant_parameters
from corral.settings.classes import AgentClass

ORCHESTRATOR_ACCOUNT = "orchestrator"
"""What claims sandboxes from within the tenant's namespace."""


def service_account_documents(
    tenant: str, classes: Mapping[str, AgentClass], *, resolver: pulumi.Input[str] = ""
) -> list[Document]:
    """`sandbox`, which may do nothing and carries what admission holds the tenant's sandboxes to,
    and `orchestrator`. `classes` are those that the tenant may use, `resolver` is the address of
    the one that its sandboxes ask for names: "" where they may ask nobody."""
    namespace = tenant_namespace(tenant)
    parameters: dict[str, pulumi.Input[str]] = {**tenant_parameters(tenant, classes)}
    if not isinstance(resolver, str) or resolver:
        parameters[RESOLVER_PARAMETER] = resolver
    return [
        service_account_document(SANDBOX_ACCOUNT, namespace=namespace, annotations=parameters),
        service_account_document(ORCHESTRATOR_ACCOUNT, namespace=namespace),
    ]


def service_account_document(
    name: str, *, namespace: str, annotations: Mapping[str, pulumi.Input[str]] | None = None
) -> Document:
    """An account whose token no pod gets mounted."""
    found = metadata(name, namespace=namespace)
    if annotations:
        found["annotations"] = dict(annotations)
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": found,
        "automountServiceAccountToken": False,
    }
