"""Stand-ins for agent-sandbox's kinds: their names and versions, and no schema.

Enough for admission, which reads them dynamically. The real definitions come with its release.
"""

from __future__ import annotations

from typing import Any

_KINDS = (
    ("agents.x-k8s.io", "Sandbox", "sandboxes"),
    ("extensions.agents.x-k8s.io", "SandboxClaim", "sandboxclaims"),
    ("extensions.agents.x-k8s.io", "SandboxTemplate", "sandboxtemplates"),
    ("extensions.agents.x-k8s.io", "SandboxWarmPool", "sandboxwarmpools"),
)


def definitions() -> list[dict[str, Any]]:
    """The four CustomResourceDefinitions."""
    return [_definition(group, kind, plural) for group, kind, plural in _KINDS]


def definition_path(definition: dict[str, Any]) -> str:
    """Where a definition stands."""
    name = definition["metadata"]["name"]
    return f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"


def _definition(group: str, kind: str, plural: str) -> dict[str, Any]:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1beta1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": anything},
                }
            ],
        },
    }
