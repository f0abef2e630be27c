"""Exemptions: a platform workload that has to break a rule says so itself, and why.

An annotation `exempt.corral.dev/<rule>` on the object or on its pod template holds the reason.
Tenants' namespaces have none.
"""

from __future__ import annotations

from corral.policy.document import Document, pairs

PREFIX = "exempt.corral.dev/"
SHORTEST_REASON = 20


def exemptions(*documents: Document) -> dict[str, str]:
    """Rule → reason, from the annotations of an object and of its pod template."""
    found: dict[str, str] = {}
    for document in documents:
        for key, reason in pairs(document, "metadata", "annotations").items():
            if key.startswith(PREFIX):
                found[key.removeprefix(PREFIX)] = str(reason)
    return found


def exempt(rule: str, *documents: Document) -> bool:
    """Whether the object is exempt from the rule, with a reason that says something."""
    return len(exemptions(*documents).get(rule, "").strip()) >= SHORTEST_REASON
