"""docs/policies.md is what the rule set says."""

from __future__ import annotations

from corral.policy import reference
from corral.policy.rules import RULES


def test_the_reference_is_up_to_date() -> None:
    written = reference.FILE.read_text(encoding="utf-8")
    assert written == reference.text(), "run `make reference`"


def test_every_rule_is_found_where_its_messages_point() -> None:
    headings = {line.removeprefix("### ") for line in reference.text().splitlines()}
    assert {rule.id for rule in RULES} <= headings
