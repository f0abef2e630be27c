"""The rule set: every rule of admission, in the order in which a policy tries them."""

from __future__ import annotations

from corral.policy.rule import Rule
from corral.policy.rules import (
    agent_class,
    claims,
    guardrails,
    host,
    identity,
    images,
    metadata,
    names,
    placement,
    privileges,
    resources,
    scratch,
    tenant_namespace,
    verification,
    volumes,
)

RULES: tuple[Rule, ...] = (
    *agent_class.RULES,
    *identity.RULES,
    *resources.RULES,
    *scratch.RULES,
    *placement.RULES,
    *privileges.RULES,
    *host.RULES,
    *metadata.RULES,
    *names.RULES,
    *images.RULES,
    *claims.RULES,
    *volumes.RULES,
    *tenant_namespace.RULES,
    *guardrails.RULES,
    *verification.RULES,
)


def rules_of(policy: str, *, images_by_digest: bool = True) -> tuple[Rule, ...]:
    """The rules of one policy. Of the two image rules, the one that the stack asks for."""
    other = images.BY_TAG if images_by_digest else images.BY_DIGEST
    return tuple(rule for rule in RULES if policy in rule.policies and rule is not other)
