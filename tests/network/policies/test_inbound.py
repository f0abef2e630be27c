"""What may come in: the doors' policies over the same model, each part of each broken once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from components.documents import Document
from components.network.inbound.places import NAMESPACE
from tests.network.policies.cluster import everybody_else
from tests.network.policies.floor_mutants import floor_mutants
from tests.network.policies.inbound_cluster import (
    ATTEMPTS,
    DOOR,
    HELD_DOOR,
    ORCHESTRATOR,
    SANDBOXES,
    SENDER,
    TARGETS,
    WORLD,
    calico_documents,
    floor_documents,
)
from tests.network.policies.model.calico import CalicoPolicies
from tests.network.policies.model.kubernetes import KubernetesPolicies
from tests.network.policies.model.verdicts import Policies, Verdict, judge
from tests.network.policies.model.world import Peer
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


def reached(policies: Policies, source: Peer) -> set[str]:
    """Names of what it gets through to."""
    return {t.name for t in TARGETS if judge(WORLD, policies, source, t).passes}


def policies(kind: str) -> Policies:
    build, documents, _ = KINDS[kind]
    return build(documents)


@pytest.mark.parametrize("kind", KINDS)
def test_the_door_reaches_listed_ports_of_listed_sandboxes_alone(kind: str) -> None:
    # Kubernetes' own policies know no Service: both ports that API servers have.
    also = {"API server, 6443/TCP"} if kind == "floor" else set()
    assert reached(policies(kind), DOOR) - also == {
        "worker of acme, 8080/TCP",
        "worker of acme, 9000/TCP",
        "planner of acme, 9000/TCP",
        "API server, 443/TCP",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_but_the_door_reaches_a_sandbox(kind: str) -> None:
    """But for a node its own pods."""
    inside = {f"{sandbox.name}, " for sandbox in SANDBOXES}
    for source, target in ATTEMPTS:
        receiver = WORLD.at(target.address)
        own = source.host and receiver is not None and receiver.node == source.node
        if source in (DOOR, HELD_DOOR) or own or not target.name.startswith(tuple(inside)):
            continue
        verdict = judge(WORLD, policies(kind), source, target)
        assert not verdict.arriving.passes, (source.name, target.name)


@pytest.mark.parametrize("kind", KINDS)
def test_each_door_is_for_its_own_callers(kind: str) -> None:
    doors = {f"door, {port}/TCP" for port in (8443, 9443)}
    assert reached(policies(kind), SENDER) & doors == {"door, 8443/TCP"}
    assert reached(policies(kind), ORCHESTRATOR) & doors == {"door, 9443/TCP"}
    callers = {
        source.name
        for source, target in ATTEMPTS
        if target.name in doors and judge(WORLD, policies(kind), source, target).passes
    }
    # The second is the node that the door is on.
    assert callers == {SENDER.name, "node n3", ORCHESTRATOR.name}


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
    assert reached(policies("calico"), HELD_DOOR) == set()
    for source, target in ATTEMPTS:
        if target.name.startswith(HELD_DOOR.name) and source.node != HELD_DOOR.node:
            verdict = judge(WORLD, policies("calico"), source, target)
            assert verdict.arriving.by == "sandbox.quarantined-pods/quarantine"


def test_there_are_policies_of_both_kinds() -> None:
    assert {kind for kind, _ in CASES} == set(KINDS)
    assert len(CASES) > 8
