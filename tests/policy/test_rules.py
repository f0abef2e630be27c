"""The pure checks, over the cases that the API server is tried with too."""

from __future__ import annotations

import pytest

from corral.policy.admission import judge
from corral.policy.rule import Facts
from tests.policy.cases import BAD, GOOD, Case
from tests.policy.pods import good_pod, namespace, parameters


def _broken(case: Case) -> set[str]:
    """The rules that the case's document breaks as it is written, before any default."""
    pod = case.pod()
    facts = Facts(namespace=namespace(), parameters=parameters())
    if case.ephemeral:
        facts = Facts(
            operation="UPDATE",
            resource="pods/ephemeralcontainers",
            old=good_pod(case.base),
            namespace=namespace(),
            parameters=parameters(),
        )
    return {violation.rule for violation in judge(pod, facts)}


@pytest.mark.parametrize("case", [c for c in BAD if c.rule], ids=lambda case: case.name)
def test_a_bad_pod_breaks_the_rules_that_its_case_names_and_no_other(case: Case) -> None:
    assert _broken(case) == {case.rule} | case.also


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_good_pod_breaks_no_rule(case: Case) -> None:
    assert _broken(case) == set()
