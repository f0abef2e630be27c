"""The table of fields against the rule set."""

from __future__ import annotations

from corral.policy.fields import FIELDS
from corral.policy.rules import RULES


def test_every_rule_that_the_table_names_exists() -> None:
    named = {
        rule
        for fields in FIELDS.values()
        for decision in fields.values()
        if not isinstance(decision, str)
        for rule in decision
    }
    assert named <= {rule.id for rule in RULES}


def test_every_harmless_field_says_why() -> None:
    reasons = [d for fields in FIELDS.values() for d in fields.values() if isinstance(d, str)]
    assert all(len(reason.split()) > 3 for reason in reasons)
