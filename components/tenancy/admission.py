"""The admission layer: what the API server itself refuses, and the proof that it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi

from components.children import Children, KubernetesObject
from components.documents import Document
from components.tenancy.enforcement import after_enforcement
from components.tenancy.namespace import system_namespace_document
from components.tenancy.probe_namespace import (
    probe_account_document,
    probe_namespace_document,
    probe_quota_document,
)
from corral.policy.admission import admission_documents


@dataclass(frozen=True, kw_only=True)
class AdmissionArgs:
    """What admission asks for, and how to see that it does."""

    images_by_digest: bool
    await_enforced: Callable[[], None]
    """Returns once the cluster is seen to refuse; called when all policies are bound."""


class Admission(pulumi.ComponentResource):
    """ValidatingAdmissionPolicies with their bindings, and a namespace to try them in."""

    policies: tuple[str, ...]
    """Names of the policies."""
    enforced: pulumi.Output[pulumi.Resource]
    """Known once every policy is seen to refuse what it is there to refuse."""
    system_namespace: pulumi.Resource
    """Where the platform's own workloads run."""

    def __init__(
        self, name: str, args: AdmissionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:tenancy:Admission", name, None, opts)
        children = Children(parent=self)
        system = system_namespace_document()
        self.system_namespace = children.add(system["metadata"]["name"], system)
        policies: dict[str, KubernetesObject] = {}
        bindings = []
        for document in admission_documents(images_by_digest=args.images_by_digest):
            own_name = document["metadata"]["name"]
            if document["kind"] == "ValidatingAdmissionPolicy":
                policies[own_name] = children.add(own_name, document)
            else:
                # A binding without its policy binds nothing, and looks as if it did.
                policy = policies[document["spec"]["policyName"]]
                bindings.append(children.add(own_name, document, depends_on=[policy]))
        self.policies = tuple(policies)
        self.enforced = after_enforcement(_probing(children, bindings), args.await_enforced)
        self.register_outputs({"policies": self.policies})


def _probing(children: Children, bindings: Sequence[pulumi.Resource]) -> KubernetesObject:
    """What probes are tried in and with. The last of it is there when everything is."""
    document = probe_namespace_document()
    namespace = children.add(
        document["metadata"]["name"],
        document,
        # It has the walls of admission alone, so it waits for all of them.
        depends_on=bindings,
    )
    quota = probe_quota_document()
    # Nothing can be created in a namespace that isn't there.
    closed = children.add(_probe(quota), quota, depends_on=[namespace])
    account = probe_account_document()
    # With its parameters policies begin to let good pods in: not before the quota keeps them out.
    return children.add(_probe(account), account, depends_on=[namespace, closed])


def _probe(document: Document) -> str:
    return f"probe/{document['metadata']['name']}"
