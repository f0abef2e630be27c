"""What is kept of each object: a few words of it, and none of what tenants could make long."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any, NamedTuple

from warden.egress.record import ANNOTATION, ENDS_ANNOTATION, parse_record
from warden.egress.world import OWNER_LABEL

NAMESPACE_PREFIX = "agents-"
CLASS_LABEL, TENANT_LABEL = "corral.dev/agent-class", "corral.dev/tenant"
QUARANTINE_LABEL = "corral.dev/quarantine"
LEVEL_LABEL = "corral.dev/response-level"
"""On Events of the platform's own namespace: a response of that level was carried out."""

LEVELS = ("1", "2", "3")
_OVER = ("Succeeded", "Failed")


class Pod(NamedTuple):
    """A sandbox's pod that isn't over."""

    uid: str
    namespace: str
    name: str
    agent_class: str
    created: float
    """Unix seconds."""
    running: bool
    placed: bool
    """Whether a node has it: only then it costs anything."""
    address: str
    quarantined: bool


class Sandbox(NamedTuple):
    """An agent-sandbox that is suspended: it has no pod."""

    namespace: str
    agent_class: str


class Claim(NamedTuple):
    """A claim that waits for its sandbox."""

    namespace: str
    since: float


class WarmPool(NamedTuple):
    """A warm pool."""

    namespace: str
    name: str
    desired: int
    ready: int


class Tenant(NamedTuple):
    """A tenant's namespace."""

    quarantined: bool


class Part(NamedTuple):
    """A tenant's part of the egress, or the one that all share."""

    owner: str
    entries: int
    """What its gateway lets through now, by the record that the control plane keeps on it."""
    ends: dict[str, float]
    """When the control plane's certificates end, by name: on the shared part alone."""


class Response(NamedTuple):
    """A response that was carried out."""

    uid: str
    tenant: str
    level: str
    at: float


def pod(document: dict[str, Any]) -> Pod | None:
    """None for one that is over, or in no tenant's namespace."""
    meta, status = document["metadata"], document.get("status") or {}
    if status.get("phase") in _OVER or not meta["namespace"].startswith(NAMESPACE_PREFIX):
        return None
    labels = meta.get("labels") or {}
    return Pod(
        uid=meta["uid"],
        namespace=sys.intern(meta["namespace"]),
        name=meta["name"],
        agent_class=sys.intern(labels.get(CLASS_LABEL, "")),
        created=_seconds(meta["creationTimestamp"]),
        running=status.get("phase") == "Running",
        placed=bool((document.get("spec") or {}).get("nodeName")),
        address=status.get("podIP") or "",
        quarantined=labels.get(QUARANTINE_LABEL) == "true",
    )


def sandbox(document: dict[str, Any]) -> Sandbox | None:
    """None for one that is to run: its pod says the rest."""
    spec = document.get("spec") or {}
    if spec.get("operatingMode") != "Suspended":
        return None
    template = (spec.get("podTemplate") or {}).get("metadata") or {}
    labels = template.get("labels") or {}
    return Sandbox(
        namespace=sys.intern(document["metadata"]["namespace"]),
        agent_class=sys.intern(str(labels.get(CLASS_LABEL, ""))),
    )


def claim(document: dict[str, Any]) -> Claim | None:
    """None for one that has its sandbox, or is going."""
    meta, status = document["metadata"], document.get("status") or {}
    if (status.get("sandbox") or {}).get("name") or meta.get("deletionTimestamp"):
        return None
    return Claim(sys.intern(meta["namespace"]), _seconds(meta["creationTimestamp"]))


def warm_pool(document: dict[str, Any]) -> WarmPool:
    """As it is to be, and as it is."""
    meta, spec = document["metadata"], document.get("spec") or {}
    status = document.get("status") or {}
    return WarmPool(
        namespace=sys.intern(meta["namespace"]),
        name=meta["name"],
        desired=int(spec.get("replicas") or 0),
        ready=int(status.get("readyReplicas") or 0),
    )


def tenant(document: dict[str, Any]) -> Tenant:
    """By the labels of its namespace."""
    labels = document["metadata"].get("labels") or {}
    return Tenant(quarantined=labels.get(QUARANTINE_LABEL) == "true")


def part(document: dict[str, Any]) -> Part:
    """By what the control plane notes on it."""
    meta = document["metadata"]
    noted = meta.get("annotations") or {}
    ends = json.loads(noted.get(ENDS_ANNOTATION, "{}"))
    return Part(
        owner=meta["labels"][OWNER_LABEL],
        entries=len(parse_record(noted.get(ANNOTATION)).allowed),
        ends={str(name): float(at) for name, at in ends.items()},
    )


def response(document: dict[str, Any]) -> Response | None:
    """None for one of no level that there is."""
    meta = document["metadata"]
    labels = meta.get("labels") or {}
    level = labels.get(LEVEL_LABEL, "")
    if level not in LEVELS:
        return None
    at = _seconds(meta["creationTimestamp"])
    return Response(meta["uid"], labels.get(TENANT_LABEL, ""), level, at)


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
