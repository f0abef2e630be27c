"""Kubernetes' own NetworkPolicies.

https://kubernetes.io/docs/concepts/services-networking/network-policies/: allowances add up, in no
order; a pod that some policy selects for a direction is closed but for them, any other is open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from tests.network.policies.model.selectors import kubernetes_selector
from tests.network.policies.model.verdicts import Word
from tests.network.policies.model.world import Peer, Target, World

Document = Mapping[str, Any]
OPEN = Word(passes=True, by="no policy")
CLOSED = Word(passes=False, by="not allowed")


@dataclass(frozen=True)
class _Policy:
    name: str
    applies: Callable[[Peer], bool]
    rules: Mapping[str, Sequence[Document]]


class KubernetesPolicies:
    """A set of them, alone or beneath Calico's tiers."""

    def __init__(self, world: World, documents: Iterable[Document]) -> None:
        self._world = world
        self._policies = [
            self._policy(each)
            for each in documents
            if each["apiVersion"] == "networking.k8s.io/v1" and each["kind"] == "NetworkPolicy"
        ]

    def node_is_free(self, direction: str) -> bool:
        """Both ways: "Traffic to and from the node where a Pod is running is always allowed"."""
        assert direction in ("Ingress", "Egress")
        return True

    def word(
        self, direction: str, own: Peer, other: Peer | None, source: Peer, target: Target
    ) -> Word:
        """Allowed by the first policy that does so, by name; closed or open otherwise."""
        found = [p for p in self._policies if direction in p.rules and p.applies(own)]
        address = target.address if direction == "Egress" else source.address
        for policy in sorted(found, key=lambda each: each.name):
            for rule in policy.rules[direction]:
                peers = rule.get("to" if direction == "Egress" else "from")
                ports = rule.get("ports")
                # An empty or absent list is anybody, and any port.
                met = not peers or any(self._is(p, other, address, own.namespace) for p in peers)
                if met and (not ports or any(_fits(port, target) for port in ports)):
                    return Word(passes=True, by=policy.name)
        return CLOSED if found else OPEN

    def _policy(self, document: Document) -> _Policy:
        meta, spec = document["metadata"], document["spec"]
        pods, namespace = kubernetes_selector(spec["podSelector"]), meta["namespace"]
        return _Policy(
            name=meta["name"],
            applies=lambda peer: peer.namespace == namespace and pods(peer.labels),
            rules={each: spec.get(each.lower(), ()) for each in spec["policyTypes"]},
        )

    def _is(self, wanted: Document, peer: Peer | None, address: Any, namespace: str) -> bool:
        if "ipBlock" in wanted:
            block = wanted["ipBlock"]
            return address in ip_network(block["cidr"]) and not any(
                address in ip_network(each) for each in block.get("except", ())
            )
        # Selectors speak of pods; what is on a node's own network isn't one.
        if peer is None or not peer.pod:
            return False
        if "namespaceSelector" in wanted:
            labels = self._world.namespaces[peer.namespace]
            inside = kubernetes_selector(wanted["namespaceSelector"])(labels)
        else:
            inside = peer.namespace == namespace
        return inside and kubernetes_selector(wanted.get("podSelector", {}))(peer.labels)


def _fits(port: Document, target: Target) -> bool:
    if port["protocol"] != target.protocol:
        return False
    last: int = port.get("endPort", port["port"])
    return bool(port["port"] <= target.port <= last)
