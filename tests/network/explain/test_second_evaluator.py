"""What is told of policies is what the model says that policies are tested by: two programs of two
authors, over the same cluster and the same documents."""

from __future__ import annotations

import pytest

from components.network.policies.places import API_SERVER, CLUSTER_DNS
from corral.network import policies as told
from tests.network.policies import matrix
from tests.network.policies.cluster import (
    API_SERVER as API_SERVER_PEER,
)
from tests.network.policies.cluster import (
    KUBE_DNS,
    WORLD,
    calico_documents,
    everybody_else,
    floor_documents,
)
from tests.network.policies.model.verdicts import Verdict, Word
from tests.network.policies.model.world import Peer, Target

KINDS = ("calico", "floor")
SERVED = {
    (API_SERVER_PEER, 443): API_SERVER,
    (KUBE_DNS, 53): CLUSTER_DNS,
}
"""What rules that name a Service speak of: a peer, and the port behind the Service."""


@pytest.mark.parametrize("kind", KINDS)
def test_both_say_the_same_of_whatever_a_pod_sends_or_gets(kind: str) -> None:
    if kind == "calico":
        ours = told.Policies([*calico_documents(), *everybody_else()])
        found = list(matrix.verdicts(matrix.with_calico()))
    else:
        ours = told.Policies(floor_documents())
        found = list(matrix.verdicts(matrix.floor_alone()))
    differing = [
        (source.name, target.name, str(verdict.leaving), str(verdict.arriving))
        for (source, target), verdict in found
        if not _agree(ours, source, target, verdict)
    ]
    assert len(found) > 1000
    assert not differing[:5]


def _agree(ours: told.Policies, source: Peer, target: Target, verdict: Verdict) -> bool:
    real = WORLD.behind(target)
    receiver = WORLD.at(real.address) or Peer(name="outside", address=real.address)
    sender, getter = _peer(source, 0), _peer(receiver, real.port)
    to, port = real.protocol, real.port
    leaving = ours.word("Egress", sender, getter, protocol=to, port=port) if source.pod else None
    arriving = (
        ours.word("Ingress", getter, sender, protocol=to, port=port) if receiver.pod else None
    )
    return _same(leaving, verdict.leaving) and _same(arriving, verdict.arriving)


def _same(mine: told.Word | None, word: Word) -> bool:
    if mine is None or word.by in ("-", "own node"):
        return True  # nothing is enforced there
    return mine.passes == word.passes and _same_rule(mine, word)


def _same_rule(mine: told.Word, word: Word) -> bool:
    """Where rules have names, by name."""
    return "sandbox." not in word.by or (mine.policy in word.by and mine.rule in word.by)


def _peer(peer: Peer, port: int) -> told.Peer:
    return told.Peer(
        address=peer.address,
        namespace=peer.namespace,
        namespace_labels=WORLD.namespaces.get(peer.namespace, {}),
        labels=peer.labels,
        service=SERVED.get((peer, port), {}),
    )
