"""A sandbox pod that passes every wall: the measure for everything that makes sandboxes."""

from __future__ import annotations

from components.documents import Document
from components.isolation.priority_class import priority_class_name
from components.tenancy.namespace import tenant_namespace
from corral.policy.parameters import SANDBOX_ACCOUNT
from corral.policy.steering import CLASS_LABEL
from corral.settings.classes import AgentClass
from corral.settings.quantities import bytes_text, cpu_text

USER = 10001
SCRATCH = "256Mi"
"""Room in /tmp. The disk of the class covers it together with logs and the workspace."""


def sandbox_pod(
    *, tenant: str, class_name: str, agent_class: AgentClass, image: str, name: str
) -> Document:
    """A pod of one agent class of a tenant, with the class's whole room for its one container.

    `image` is named by digest where the stack asks for that.
    """
    runtime = agent_class.served_by
    spec: Document = {
        "serviceAccountName": SANDBOX_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "runtimeClassName": runtime.name,
        "priorityClassName": priority_class_name(class_name),
        # The kubelet ends it at its class's maximum age, whoever else forgot it.
        "activeDeadlineSeconds": agent_class.max_age * 3600,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(agent_class, image)],
        "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": SCRATCH}}],
    }
    if runtime.user_namespaces:
        spec["hostUsers"] = False
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": tenant_namespace(tenant),
            "labels": {CLASS_LABEL: class_name},
        },
        "spec": spec,
    }


def _container(agent_class: AgentClass, image: str) -> Document:
    return {
        "name": "agent",
        "image": image,
        "resources": {
            "limits": {
                "cpu": cpu_text(agent_class.limits.cpu),
                "memory": bytes_text(agent_class.limits.memory),
                "ephemeral-storage": bytes_text(agent_class.disk),
            },
            "requests": {
                "cpu": cpu_text(agent_class.requests.cpu),
                "memory": bytes_text(agent_class.requested_memory),
                "ephemeral-storage": bytes_text(agent_class.disk),
            },
        },
        "securityContext": {
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108 - in the sandbox
    }
