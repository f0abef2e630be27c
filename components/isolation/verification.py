"""What a node carries until its runtimes are proven on it, and what whoever proves them may do."""

from __future__ import annotations

from collections.abc import Iterable

from corral.settings.tiers import PROOF_LABEL_PREFIX, UNVERIFIED_TAINT, Runtime

KATA_LABEL = "corral.dev/kata"
"""Node label: the release of Kata that its launch template asks for."""

PROCESSES_LABEL = "corral.dev/guest-processes"
"""Node label: the most processes of a guest. A guest that has another limit proves nothing."""

UNPROVEN, PROVEN = "false", "true"


def unproven(runtimes: Iterable[Runtime]) -> list[Runtime]:
    """Those of a node's runtimes that have to be proven on it."""
    return [runtime for runtime in runtimes if runtime.proves_itself]


def proof_label(runtime: Runtime) -> str:
    """The label that says whether it is proven on a node."""
    return f"{PROOF_LABEL_PREFIX}{runtime.name}"


def unproven_labels(runtimes: Iterable[Runtime]) -> dict[str, str]:
    """Labels of a node that just joined."""
    return {proof_label(runtime): UNPROVEN for runtime in unproven(runtimes)}


def unproven_taints(runtimes: Iterable[Runtime]) -> list[dict[str, str]]:
    """Taints of a node that just joined: no sandbox lands there before all is proven."""
    if not unproven(runtimes):
        return []
    return [{"key": UNVERIFIED_TAINT, "effect": "NoSchedule"}]


def unverified_toleration() -> dict[str, str]:
    """What lets the few pods on that prove it."""
    return {"key": UNVERIFIED_TAINT, "operator": "Exists", "effect": "NoSchedule"}
