"""What must hold for everything that the program registers, judged before anything is applied."""

from __future__ import annotations

from corral.policy.program import (
    admission,
    callbacks,
    namespaces,
    purchases,
    rights,
    runtimes,
    secrets,
    workloads,
)
from corral.policy.program.rule import PlanRule, ResourceRule

RESOURCE_RULES: tuple[ResourceRule, ...] = (
    *workloads.RESOURCE_RULES,
    *namespaces.RESOURCE_RULES,
    *rights.RESOURCE_RULES,
    *runtimes.RESOURCE_RULES,
    *purchases.RESOURCE_RULES,
    *secrets.RESOURCE_RULES,
    *admission.RESOURCE_RULES,
)
"""Rules that need one resource alone."""

PLAN_RULES: tuple[PlanRule, ...] = (
    *workloads.PLAN_RULES,
    *namespaces.PLAN_RULES,
    *rights.PLAN_RULES,
    *admission.PLAN_RULES,
    *callbacks.PLAN_RULES,
)
"""Rules about what must be there together."""
