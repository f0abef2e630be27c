"""Each part of each policy of the floor counts too."""

from __future__ import annotations

import pytest

from components.documents import Document
from tests.network.policies.cluster import TENANTS, WORLD, floor_documents
from tests.network.policies.floor_mutants import floor_mutants
from tests.network.policies.matrix import floor_alone, verdicts
from tests.network.policies.model.kubernetes import KubernetesPolicies

PAIR = ("acme", "held")
"""A tenant, and one in quarantine: some parts count for the one, some for the other."""


def _name(document: Document) -> str:
    meta = document["metadata"]
    return f"{meta['namespace']}/{meta['name']}"


DOCUMENTS = floor_documents()


def _kinds() -> dict[str, list[int]]:
    """Which documents are the same but for their tenant."""
    found: dict[str, list[int]] = {}
    for index, document in enumerate(DOCUMENTS):
        name = _name(document)
        owner = next((tenant for tenant in TENANTS if tenant in name), "")
        if not owner or owner in PAIR:
            key = name.replace(owner, "<tenant>") if owner else name
            found.setdefault(key, []).append(index)
    return found


KINDS = _kinds()
GOLDEN = tuple((attempt, str(verdict)) for attempt, verdict in verdicts(floor_alone()))


def noticed(documents: list[Document]) -> bool:
    """Whether some attempt ends otherwise."""
    policies = KubernetesPolicies(WORLD, documents)
    return any(
        str(verdict) != was
        for attempt, was in GOLDEN
        for _, verdict in verdicts(policies, [attempt])
    )


def unseen(index: int) -> set[str]:
    """What can be broken in that document without being noticed."""
    broken = floor_mutants(DOCUMENTS, index)
    return {what for what, documents in broken if not noticed(documents)}


@pytest.mark.parametrize("kind", KINDS)
def test_no_policy_of_the_floor_can_be_broken_unseen(kind: str) -> None:
    assert all(len([*floor_mutants(DOCUMENTS, index)]) > 1 for index in KINDS[kind])
    assert set.intersection(*map(unseen, KINDS[kind])) == set()


def test_what_is_whole_is_not_noticed() -> None:
    assert not noticed(DOCUMENTS)
