"""Kubernetes documents: plain camelCase JSON, as the API server reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corral.policy.steering import MANAGED_BY, MANAGER

Document = dict[str, Any]


def metadata(
    name: str, *, namespace: str | None = None, labels: Mapping[str, str] | None = None
) -> Document:
    """An object's metadata: always a name of its own, always the label that says whose it is."""
    found: Document = {"name": name, "labels": {MANAGED_BY: MANAGER, **(labels or {})}}
    if namespace is not None:
        found["namespace"] = namespace
    return found


def type_token(document: Mapping[str, Any]) -> str:
    """Pulumi's type for a document: `v1` Namespace is `kubernetes:core/v1:Namespace`."""
    api_version, kind = document["apiVersion"], document["kind"]
    group_version = api_version if "/" in api_version else f"core/{api_version}"
    return f"kubernetes:{group_version}:{kind}"
