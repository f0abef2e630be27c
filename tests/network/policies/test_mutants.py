"""Each rule of each policy counts: broken, an attempt ends otherwise than the golden table says."""

from __future__ import annotations

import pytest

from components.documents import Document
from tests.network.policies.cluster import TENANTS, WORLD, calico_documents, everybody_else
from tests.network.policies.matrix import ATTEMPTS, verdicts, with_calico
from tests.network.policies.model.calico import CalicoPolicies
from tests.network.policies.mutants import mutants


def _name(document: Document) -> str:
    meta = document["metadata"]
    return f"{meta.get('namespace', document['kind'])}/{meta['name']}"


def _other_tenants(document: Document) -> bool:
    return any(name in _name(document) for name in TENANTS if name != "acme")


DOCUMENTS = calico_documents()
OURS = {
    _name(document): index
    for index, document in enumerate(DOCUMENTS)
    # Of tenants' the first one's: the others' differ in names and numbers alone. Beneath the tier
    # Kubernetes' own policies are asked nothing; the floor's tests are theirs.
    if document["apiVersion"] == "projectcalico.org/v3" and not _other_tenants(document)
}

HARMLESS = {
    "egress 10, Allow private-too-wide: nets without 169.254.0.0/16": "an owner's entry that "
    "opens metadata opens nothing: the denial stands before it",
    "ends in Pass": "each pod of the tier also has a last rule that denies; see "
    "test_the_tier_closes_what_no_rule_speaks_of",
}
GOLDEN = tuple((attempt, str(verdict)) for attempt, verdict in verdicts(with_calico(), ATTEMPTS))


def noticed(documents: list[Document], where: str) -> str:
    """The first attempt that ends otherwise, asked first where that policy had the word; empty
    when none does."""
    policies = CalicoPolicies(WORLD, [*documents, *everybody_else()])
    for attempt, was in sorted(GOLDEN, key=lambda each: where not in each[1]):
        for (source, target), verdict in verdicts(policies, [attempt]):
            if str(verdict) != was:
                return f"{source.name} to {target.name}"
    return ""


@pytest.mark.parametrize("name", OURS)
def test_no_policy_can_be_broken_unseen(name: str) -> None:
    broken = dict(mutants(DOCUMENTS, OURS[name]))
    assert len(broken) > 2
    where = name.partition("/")[2]
    unseen = [what for what, documents in broken.items() if not noticed(documents, where)]
    assert [what for what in unseen if what not in HARMLESS] == []


def test_what_is_whole_is_not_noticed() -> None:
    assert noticed(DOCUMENTS, "") == ""
