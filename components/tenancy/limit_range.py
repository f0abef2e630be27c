"""What a container gets that asks for nothing, and the most that it can ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from components.documents import Document, metadata
from components.tenancy.namespace import tenant_namespace
from corral.settings.classes import AgentClass
from corral.settings.quantities import bytes_text, cpu_text, parse_bytes, parse_cpu
from corral.settings.tenants import Tenant

LIMIT_RANGE = "corral-sandbox"

DEFAULT_LIMITS = {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "10Gi"}
DEFAULT_REQUESTS = {"cpu": "500m", "memory": "1Gi"}
LEAST = {"cpu": "10m", "memory": "16Mi"}
"""What a container requests at least, unless a class asks for less."""

SMALLEST_VOLUME = "1Gi"


def limit_range_document(name: str, tenant: Tenant, classes: Mapping[str, AgentClass]) -> Document:
    """The LimitRange of one tenant; `classes` are the stack's. It knows no classes: its bounds are
    those of the tenant's largest one, and admission holds each sandbox to its own."""
    used = [classes[class_name] for class_name in tenant.agents]
    largest = _largest(used)
    limits: list[Document] = [
        {"type": "Pod", "max": _texts(largest)},
        _container(used, largest),
    ]
    volumes = [agent.workspace.size for agent in used if agent.workspace is not None]
    if tenant.volumes.count:
        volumes.append(tenant.volumes.storage)
    if volumes:
        limits.append(_volume(volumes))
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": metadata(LIMIT_RANGE, namespace=tenant_namespace(name)),
        "spec": {"limits": limits},
    }


def _container(used: list[AgentClass], largest: Mapping[str, int]) -> Document:
    limits = {key: min(_number(key, text), largest[key]) for key, text in DEFAULT_LIMITS.items()}
    requests = {key: min(_number(key, text), limits[key]) for key, text in DEFAULT_REQUESTS.items()}
    # Disk is set aside in full: a sandbox may fill what it is allowed before anybody looks.
    requests["ephemeral-storage"] = limits["ephemeral-storage"]
    smallest = {
        key: min(_number(key, text), *(getattr(agent.requests, key) for agent in used))
        for key, text in LEAST.items()
    }
    bounds: Document = {"type": "Container", "max": _texts(largest), "min": _texts(smallest)}
    ratio = memory_ratio(used)
    if ratio is not None:
        bounds["maxLimitRequestRatio"] = {"memory": cpu_text(ratio)}
        least = -(-limits["memory"] * 1000 // ratio)
        requests["memory"] = max(requests["memory"], _whole_mebibytes(least))
    return {**bounds, "default": _texts(limits), "defaultRequest": _texts(requests)}


def memory_ratio(classes: Iterable[AgentClass]) -> int | None:
    """Thousandths of memory limit over memory request, at most; None where some class runs on a
    runtime that shares memory out as it is used.

    A virtual machine takes its memory from limits, whatever was requested: a lower request is
    overcommit, and only as much of it is allowed as the classes ask for.
    """
    found = list(classes)
    if not all(agent.served_by.static_memory for agent in found):
        return None
    return max(-(-agent.limits.memory * 1000 // agent.requested_memory) for agent in found)


def _volume(sizes: Collection[int]) -> Document:
    """Bounds of one volume, for workspaces of these sizes and volumes of that much together."""
    return {
        "type": "PersistentVolumeClaim",
        "max": {"storage": bytes_text(max(sizes))},
        "min": {"storage": bytes_text(min(parse_bytes(SMALLEST_VOLUME), *sizes))},
    }


def _largest(classes: Iterable[AgentClass]) -> dict[str, int]:
    found = list(classes)
    return {
        "cpu": max(agent.limits.cpu for agent in found),
        "memory": max(agent.limits.memory for agent in found),
        "ephemeral-storage": max(agent.disk for agent in found),
    }


def _number(key: str, text: str) -> int:
    return parse_cpu(text) if key == "cpu" else parse_bytes(text)


def _texts(numbers: Mapping[str, int]) -> dict[str, str]:
    return {
        key: cpu_text(number) if key == "cpu" else bytes_text(number)
        for key, number in numbers.items()
    }


def _whole_mebibytes(size: int) -> int:
    return -(-size // 2**20) * 2**20
