"""Mutants that mean the same as the rule: each kind with its reason, none of them tried.

A kind that no rule has any more is found by a test, as is one that a case could tell apart after
all: survivors of the others are failures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from components.observability.rules.sandboxes_known import OF_SANDBOX
from tests.observability.rules.mutation import Mutant


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Mutants that are no mistakes."""

    why: str
    applies: Callable[[Mutant], bool]


def _at(mutant: Mutant) -> int:
    return int(mutant.change.rpartition(" ")[2])


def _only_tenants(mutant: Mutant) -> bool:
    # What the join lets through is tenants' anyway; sandbox:info itself isn't among these.
    joined = "sandbox:info" in mutant.expr or "sandbox:age:seconds and" in mutant.expr
    return 'namespace=~"agents-.+"' in mutant.change and "without" in mutant.change and joined


def _is(rule: str, *changes: str) -> Callable[[Mutant], bool]:
    return lambda mutant: mutant.rule == rule and mutant.change.startswith(changes)


EXPLAINED = (
    Explained(
        why="the join with sandbox:info keeps tenants' pods alone: the matcher only saves work",
        applies=_only_tenants,
    ),
    Explained(
        why="sandbox:info is 1: multiplied or divided by it, a value is the same",
        applies=lambda m: (
            m.change.startswith("* becomes /") and m.expr[_at(m) :].startswith(OF_SANDBOX)
        ),
    ),
    Explained(
        why="both sides of the join are 1",
        applies=_is("sandbox:info", "* becomes /"),
    ),
    Explained(
        why="topk takes whole numbers, and cuts 1.1 to 1",
        applies=lambda m: (
            m.rule in ("sandbox:class:info", "sandbox:tier:info")
            and m.change.startswith("1 becomes 1.1")
        ),
    ),
    Explained(
        why="replicas of kube-state-metrics differ in whether a row is there, not in its 1",
        applies=lambda m: (
            m.change.startswith("max becomes min")
            and m.rule in ("sandbox:class:info", "sandbox:tier:info")
        ),
    ),
    Explained(
        why="that a claim is in a pod is 1 on every replica",
        applies=lambda m: (
            m.rule == "sandbox:volume_usage:ratio" and m.change == "max becomes min, at 0"
        ),
    ),
    Explained(
        why="no limit, disk or guest has one byte",
        applies=lambda m: (
            m.change.startswith("0 becomes 1,")
            and m.rule
            in (
                "sandbox:memory_limit:bytes",
                "sandbox:disk_limit:bytes",
                "sandbox:volume_usage:ratio",
                "sandbox:guest_memory_usage:ratio",
                "sandbox:guest_disk_usage:ratio",
                "sandbox:memory_growth:ratio_1h",
            )
        ),
    ),
    Explained(
        why="no other path gives volumes: the matcher says which it is",
        applies=_is("sandbox:volume_usage:ratio", 'without metrics_path="/metrics"'),
    ),
    Explained(
        why="a rate is a division: it is never exactly a share",
        applies=_is("SandboxCPUHigh", "> becomes >="),
    ),
    Explained(
        why="restarts are whole, and the constant is half of one above",
        applies=_is("SandboxRestarting", "> becomes >="),
    ),
    Explained(
        why="no quotient of bytes is exactly 1.05 as a binary number",
        applies=lambda m: m.rule == "SandboxMemoryLeak" and m.change == "> becomes >=, at 50",
    ),
    Explained(
        why="hours are a division by a regression: never exactly a whole number",
        applies=_is("SandboxMemoryExhaustion", "< becomes <="),
    ),
    Explained(
        why="a kill is 1 on every replica",
        applies=lambda m: (
            m.rule == "sandbox:oom_kills:recent"
            and m.change in ("max becomes min, at 4", "max becomes min, at 214")
        ),
    ),
    Explained(
        why="counts aren't below zero: they are all zero where their sum is",
        applies=_is("WarmPoolEmpty", "max becomes sum"),
    ),
)


def explained(mutant: Mutant) -> str:
    """Why the mutant means the same; empty where it doesn't."""
    return next((each.why for each in EXPLAINED if each.applies(mutant)), "")
