"""Good pods, and documents one change away from them."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, Final

from corral.policy.parameters import RESOLVER_PARAMETER, tenant_parameters
from corral.settings.classes import AgentClass, Resources
from corral.settings.quantities import parse_bytes, parse_cpu
from corral.settings.tenants import Tenant, Volumes
from corral.settings.tiers import Tier

Document = dict[str, Any]
Path = tuple[str | int, ...]
Changes = tuple[tuple[Path, Any], ...]


class _Removed:
    def __repr__(self) -> str:
        return "REMOVED"


REMOVED: Final = _Removed()
"""As a change's value: the field isn't there at all."""

IMAGE = "registry.example/agents/base@sha256:" + "5f" * 32
OTHER_IMAGE = "registry.example/agents/tools@sha256:" + "7a" * 32


def _class(tier: Tier, cpu: str, memory: str, disk: str, **more: Any) -> AgentClass:
    return AgentClass.model_construct(
        tier=tier,
        limits=Resources.model_construct(cpu=parse_cpu(cpu), memory=parse_bytes(memory)),
        disk=parse_bytes(disk),
        **more,
    )


CLASSES: dict[str, AgentClass] = {
    "worker": _class(Tier.MICROVM, "4", "8Gi", "20Gi"),
    "fast": _class(Tier.MICROVM, "2", "4Gi", "10Gi", runtime="kata-qemu-runtime-rs"),
    "shared": _class(Tier.MICROVM, "2", "4Gi", "10Gi", memory_overcommit=2.0),
    "planner": _class(Tier.GVISOR, "2", "4Gi", "10Gi"),
    "judge": _class(Tier.CONTAINER, "1", "2Gi", "5Gi"),
    "sealed": _class(Tier.CONFIDENTIAL, "4", "8Gi", "20Gi"),
}

TENANT = Tenant.model_construct(
    tier=Tier.CONTAINER,
    agents=dict.fromkeys(CLASSES, 3),
    volumes=Volumes.model_construct(count=5, storage=parse_bytes("50Gi")),
    readers=("engineers",),
)


RESOLVER = "10.96.0.77"
"""The address of the tenant's resolver."""


def parameters(tenant: str = "acme") -> dict[str, str]:
    """What the policies hold a tenant with all of CLASSES to."""
    return {**tenant_parameters(tenant, CLASSES), RESOLVER_PARAMETER: RESOLVER}


def namespace(tenant: str = "acme") -> Document:
    """A tenant's namespace, as policies see it."""
    return {"metadata": {"name": f"agents-{tenant}", "labels": {"corral.dev/tenant": tenant}}}


def container(name: str, cpu: str, memory: str, disk: str) -> Document:
    """A container that breaks no rule; its requests are its limits."""
    return {
        "name": name,
        "image": IMAGE,
        "resources": {"limits": {"cpu": cpu, "memory": memory, "ephemeral-storage": disk}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }


def ephemeral(name: str = "debug") -> Document:
    """An ephemeral container that breaks no rule."""
    found = container(name, "1", "1Gi", "1Gi")
    del found["resources"]
    return found


def good_pod(class_name: str, name: str = "sandbox") -> Document:
    """A pod of a class with a container, an init container, a sidecar and volumes."""
    agent = CLASSES[class_name]
    runtime = agent.served_by
    spec: Document = {
        "serviceAccountName": "sandbox",
        "automountServiceAccountToken": False,
        "runtimeClassName": runtime.name,
        "priorityClassName": f"agent-{class_name}",
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": [RESOLVER]},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [
            container("setup", "500m", "512Mi", "1Gi"),
            {**container("proxy", "100m", "128Mi", "512Mi"), "restartPolicy": "Always"},
        ],
        "containers": [container("agent", "500m", "1Gi", "2Gi")],
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "cache", "emptyDir": {"sizeLimit": "256Mi", "medium": "Memory"}},
            {"name": "workspace", "persistentVolumeClaim": {"claimName": "workspace"}},
        ],
    }
    if runtime.user_namespaces:
        spec["hostUsers"] = False
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {"corral.dev/agent-class": class_name, "app": "agent"},
            "annotations": {"example.org/task": "4711"},
        },
        "spec": spec,
    }


def changed(document: Document, changes: Iterable[tuple[Path, Any]]) -> Document:
    """A copy with the changes: maps and lists on the way are made as needed, an index one past
    the end of a list appends, REMOVED takes the field away."""
    found = copy.deepcopy(document)
    for path, value in changes:
        *parents, last = path
        where: Any = found
        for key, following in zip(parents, path[1:], strict=True):
            where = _child(where, key, [] if isinstance(following, int) else {})
        if value is REMOVED:
            del where[last]
        elif isinstance(where, list) and last == len(where):
            where.append(copy.deepcopy(value))
        else:
            where[last] = copy.deepcopy(value)
    return found


def _child(where: Any, key: str | int, missing: Any) -> Any:
    if isinstance(where, list) and isinstance(key, int):
        if key == len(where):
            where.append(missing)
        return where[key]
    return where.setdefault(key, missing)
