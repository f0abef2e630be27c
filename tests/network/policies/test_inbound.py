"""The way in's policies, each part of each broken once; what they are for is said by its own
tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from components.documents import Document
from components.network.inbound.places import NAMESPACE
from tests.network.policies.cluster import everybody_else
from tests.network.policies.floor_mutants import floor_mutants
from tests.network.policies.inbound_cluster import (
    ATTEMPTS,
    HELD_DOOR,
    WORLD,
    calico_documents,
    floor_documents,
)
from tests.network.policies.model.calico import CalicoPolicies
from tests.network.policies.model.kubernetes import KubernetesPolicies
from tests.network.policies.model.verdicts import Policies, Verdict, judge
from tests.network.policies.mutants import mutants


def _calico(documents: Sequence[Document]) -> Policies:
    return CalicoPolicies(WORLD, [*documents, *everybody_else()])


def _floor(documents: Sequence[Document]) -> Policies:
    return KubernetesPolicies(WORLD, documents)


Judge = Callable[[Sequence[Document]], Policies]
Break = Callable[[Sequence[Document], int], Iterator[tuple[str, list[Document]]]]

KINDS: dict[str, tuple[Judge, list[Document], Break]] = {
    "calico": (_calico, calico_documents(), mutants),
    "floor": (_floor, floor_documents(), floor_mutants),
}


def _name(document: Document) -> str:
    meta = document["metadata"]
    return f"{meta.get('namespace', document['kind'])}/{meta['name']}"


def _inbounds(documents: Sequence[Document]) -> dict[str, list[int]]:
    """The way in's own, tenants' as one: some parts count for the one in quarantine alone."""
    found: dict[str, list[int]] = {}
    for index, document in enumerate(documents):
        name = _name(document).replace("acme", "<tenant>").replace("held", "<tenant>")
        if name.startswith(f"{NAMESPACE}/") or "way-in" in name:
            found.setdefault(name, []).append(index)
    return found


CASES = [(kind, name) for kind in KINDS for name in _inbounds(KINDS[kind][1])]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_no_policy_of_the_way_in_can_be_broken_unseen(kind: str, name: str) -> None:
    build, documents, breaks = KINDS[kind]
    was = _said(build(documents))

    def unseen(index: int) -> set[str]:
        return {what for what, broken in breaks(documents, index) if _said(build(broken)) == was}

    assert set.intersection(*map(unseen, _inbounds(documents)[name])) - HARMLESS == set()


HARMLESS = {"egress 0, Allow way-in: destination without selector"}
"""It is `all()` there, which says nothing that the namespace doesn't."""


def _said(found: Policies) -> list[Verdict]:
    return [judge(WORLD, found, source, target) for source, target in ATTEMPTS]


def test_a_door_in_quarantine_reaches_nothing_and_is_reached_by_nobody() -> None:
    policies = _calico(calico_documents())
    for source, target in ATTEMPTS:
        verdict = judge(WORLD, policies, source, target)
        if source is HELD_DOOR:
            assert verdict.leaving.by == "sandbox.quarantined-pods/quarantine"
        elif target.name.startswith(HELD_DOOR.name) and source.node != HELD_DOOR.node:
            assert verdict.arriving.by == "sandbox.quarantined-pods/quarantine"


def test_there_are_policies_of_both_kinds() -> None:
    assert {kind for kind, _ in CASES} == set(KINDS)
    assert len(CASES) > 8
