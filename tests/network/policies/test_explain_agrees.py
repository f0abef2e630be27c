"""What `corral network explain` says of policies is what the model says: the same word, by the same
rule, at both ends of every attempt."""

from __future__ import annotations

import pytest

from components.documents import Document
from corral.network.policies import Peer, Policies, Word
from tests.network.policies.cluster import calico_documents, everybody_else, floor_documents
from tests.network.policies.inbound_cluster import ATTEMPTS as INBOUND_ATTEMPTS
from tests.network.policies.inbound_cluster import WORLD
from tests.network.policies.inbound_cluster import calico_documents as calico_with_inbound
from tests.network.policies.inbound_cluster import floor_documents as floor_with_inbound
from tests.network.policies.matrix import ATTEMPTS
from tests.network.policies.model import verdicts
from tests.network.policies.model import world as model
from tests.network.policies.model.calico import CalicoPolicies
from tests.network.policies.model.kubernetes import KubernetesPolicies

SETS: dict[str, list[Document]] = {
    "calico": [*calico_documents(), *everybody_else()],
    "floor": floor_documents(),
    "calico and the way in": [*calico_with_inbound(), *everybody_else()],
    "floor and the way in": floor_with_inbound(),
}


def peer_of(known: model.Peer | None, address: model.Address, target: model.Target | None) -> Peer:
    """As the command knows it; a target's Service where its port is one of it."""
    services = [
        {"name": service.name, "namespace": service.namespace}
        for service in WORLD.services
        for (protocol, _), port in service.ports.items()
        if target is not None
        and (service.backend.address, protocol, port) == (address, target.protocol, target.port)
        # Others are found by their pods.
        and service.name in ("kubernetes", "kube-dns")
    ]
    if known is None or not known.pod:
        return Peer(address=address, service=services[0] if services else {})
    return Peer(
        address=address,
        namespace=known.namespace,
        namespace_labels=WORLD.namespaces[known.namespace],
        labels=known.labels,
        service=services[0] if services else {},
    )


def agrees(word: verdicts.Word, other: Word) -> bool:
    if word.passes != other.passes:
        return False
    return "/" not in word.by or word.by == f"{other.policy}/{other.rule}"


@pytest.mark.parametrize("name", SETS)
def test_the_same_word_at_both_ends(name: str) -> None:
    documents, said = SETS[name], Policies(SETS[name])
    judges = KubernetesPolicies if "floor" in name else CalicoPolicies
    policies: verdicts.Policies = judges(WORLD, documents)
    compared = 0
    for source, target in INBOUND_ATTEMPTS if "way in" in name else ATTEMPTS:
        verdict = verdicts.judge(WORLD, policies, source, target)
        real = WORLD.behind(target)
        receiver = WORLD.at(real.address)
        near = peer_of(source, source.address, None)
        far = peer_of(receiver, real.address, real)
        for word, direction, own, other in (
            (verdict.leaving, "Egress", near, far),
            (verdict.arriving, "Ingress", far, near),
        ):
            if word in (verdicts.NOBODY, verdicts.OWN_NODE):
                continue
            judged = (
                said.word("Egress", own, other, protocol=real.protocol, port=real.port)
                if direction == "Egress"
                else said.word("Ingress", own, other, protocol=real.protocol, port=real.port)
            )
            assert agrees(word, judged), (source.name, target.name, direction, word, judged)
            compared += 1
    assert compared > 300
