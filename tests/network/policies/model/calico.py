"""Calico's policies: tiers, order, actions and what a rule matches.

Each function says where it is written down: paths are those of projectcalico/calico.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from components.network.policies.tier import RULE
from tests.network.policies.model.kubernetes import KubernetesPolicies
from tests.network.policies.model.selectors import selector
from tests.network.policies.model.verdicts import Word
from tests.network.policies.model.world import Peer, Target, World

Document = Mapping[str, Any]
Match = Callable[[Peer, Peer | None, Target], bool]
"""Of the source, who is at the target's address (None outside), and the target."""

ENFORCED = ("NetworkPolicy", "GlobalNetworkPolicy")
FIELDS = {"action", "metadata", "protocol", "source", "destination"}
SIDE_FIELDS = {"nets", "ports", "selector", "namespaceSelector", "services"}
SPEC_FIELDS = {"tier", "order", "types", "ingress", "egress", "selector", "namespaceSelector"}


@dataclass(frozen=True)
class _Rule:
    action: str
    name: str
    matches: Match


@dataclass(frozen=True)
class _Policy:
    name: str
    order: float
    key: str
    applies: Callable[[Peer], bool]
    rules: Mapping[str, Sequence[_Rule]]


class CalicoPolicies:
    """Tiers and policies of Calico, with Kubernetes' own beneath them in the tier `default`
    (libcalico-go/lib/backend/k8s/conversion: each NetworkPolicy becomes one of that tier)."""

    def __init__(self, world: World, documents: Iterable[Document]) -> None:
        given = list(documents)
        self._world = world
        self._known: dict[tuple[str, Peer], list[tuple[str, str, list[_Policy]]]] = {}
        self._tiers = {
            each["metadata"]["name"]: each["spec"] for each in given if each["kind"] == "Tier"
        }
        self._policies: dict[str, list[_Policy]] = {name: [] for name in self._tiers}
        for each in given:
            # Staged policies decide nothing, and a tier of staged ones alone is passed over
            # (felix/rules/endpoints.go: endOfTierDrop).
            # What is in a tier that isn't there isn't applied (felix/calc/policy_sorter.go: Valid).
            if each["apiVersion"] == "projectcalico.org/v3" and each["kind"] in ENFORCED:
                self._policies.get(each["spec"]["tier"], []).append(self._policy(each))
        for policies in self._policies.values():
            # felix/calc/policy_sorter.go: by order, then by name, namespace and kind.
            policies.sort(key=lambda policy: (policy.order, policy.key))
        self._beneath = KubernetesPolicies(world, given)

    def node_is_free(self, direction: str) -> bool:
        """A node reaches its own pods (felix/rules/static.go: "We don't currently police host ->
        endpoint"). What pods send to their node is judged."""
        return direction == "Ingress"

    def word(
        self, direction: str, own: Peer, other: Peer | None, source: Peer, target: Target
    ) -> Word:
        """felix/rules/endpoints.go: tiers in their order; the first Allow or Deny ends it, Pass
        goes on to the next tier, Log to the next rule; where a tier has a policy for this pod and
        direction and none of its rules ended it, the tier's default action does."""
        receiver = other if direction == "Egress" else own
        for name, default, found in self._about(direction, own):
            logged: list[str] = []
            passed = False
            for policy in found:
                for rule in policy.rules[direction]:
                    if not rule.matches(source, receiver, target):
                        continue
                    if rule.action == "Log":
                        logged.append(rule.name)
                        continue
                    if rule.action == "Pass":
                        passed = True
                        break
                    return Word(
                        passes=rule.action == "Allow",
                        by=f"{policy.name}/{rule.name}",
                        logged=tuple(logged),
                    )
                if passed:
                    break
            if not passed and default == "Deny":
                return Word(passes=False, by=f"end of tier {name}", logged=tuple(logged))
        return self._beneath.word(direction, own, other, source, target)

    def _about(self, direction: str, own: Peer) -> list[tuple[str, str, list[_Policy]]]:
        """Tiers in their order, those that have policies for that pod: its name, its default action
        and those policies."""
        known = self._known.get((direction, own))
        if known is None:
            tiers = sorted(self._tiers.items(), key=lambda tier: tier[1]["order"])
            known = [
                (name, spec["defaultAction"], found)
                for name, spec in tiers
                if (
                    found := [
                        policy
                        for policy in self._policies[name]
                        if direction in policy.rules and policy.applies(own)
                    ]
                )
            ]
            self._known[direction, own] = known
        return known

    def _policy(self, document: Document) -> _Policy:
        meta, spec = document["metadata"], document["spec"]
        unknown = set(spec) - SPEC_FIELDS
        assert not unknown, f"the model has no {unknown}"
        own = meta.get("namespace", "")
        pods = selector(spec.get("selector", "all()"))
        spaces = selector(spec.get("namespaceSelector", "all()"))

        def applies(peer: Peer) -> bool:
            if own and peer.namespace != own:
                return False
            return spaces(self._world.namespaces[peer.namespace]) and pods(peer.labels)

        return _Policy(
            name=meta["name"],
            order=spec["order"],
            key=f"{meta['name']}/{own}/{document['kind']}",
            applies=applies,
            rules={
                direction: [self._rule(each, own) for each in spec.get(direction.lower(), ())]
                for direction in spec["types"]
            },
        )

    def _rule(self, rule: Document, namespace: str) -> _Rule:
        unknown = set(rule) - FIELDS
        assert not unknown, f"the model has no {unknown}"
        name = rule["metadata"]["annotations"][RULE]
        tests = [
            *self._side("source", rule, namespace),
            *self._side("destination", rule, namespace),
        ]
        if "protocol" in rule:
            protocol = rule["protocol"]
            tests.append(lambda _source, _receiver, target: target.protocol == protocol)
        return _Rule(rule["action"], name, _all(tests))

    def _side(self, side: str, rule: Document, namespace: str) -> list[Match]:
        """api/pkg/apis/projectcalico/v3 EntityRule: all that is said must hold, and what is empty
        says nothing."""
        entity = rule.get(side, {})
        unknown = set(entity) - SIDE_FIELDS
        assert not unknown, f"the model has no {unknown}"
        tests: list[Match] = []
        if ports := entity.get("ports"):
            # Only some protocols have ports (validated by Calico).
            assert rule.get("protocol") in ("TCP", "UDP"), "ports without a protocol"
            assert side == "destination", "the model has no source ports"
            tests.append(lambda _source, _receiver, target: target.port in ports)
        if nets := entity.get("nets"):
            inside = _inside(tuple(nets))
            tests.append(
                lambda source, _receiver, target: inside(
                    source.address if side == "source" else target.address
                )
            )
        if service := entity.get("services"):
            tests.append(self._service(service))
        if "selector" in entity or "namespaceSelector" in entity:
            chosen = self._chosen(entity, namespace)
            tests.append(
                lambda source, receiver, _target: chosen(source if side == "source" else receiver)
            )
        return tests

    def _chosen(self, entity: Document, namespace: str) -> Callable[[Peer | None], bool]:
        """libcalico-go/lib/backend/syncersv1/updateprocessors/rules.go: a selector in a namespaced
        policy is of that namespace, unless namespaces are selected too; and both speak of what
        Calico knows, here of pods."""
        pods = selector(entity.get("selector", "all()"))
        spaces = selector(entity["namespaceSelector"]) if entity.get("namespaceSelector") else None

        def test(peer: Peer | None) -> bool:
            if peer is None or not peer.pod or not pods(peer.labels):
                return False
            if spaces is not None:
                return spaces(self._world.namespaces[peer.namespace])
            return not namespace or peer.namespace == namespace

        return test

    def _service(self, named: Document) -> Match:
        """felix/calc/rule_scanner.go: a Service in an egress rule's destination stands for the
        addresses, protocols and ports of its EndpointSlices."""
        ends = {
            (service.backend.address, protocol, port)
            for service in self._world.services
            if (service.name, service.namespace) == (named["name"], named["namespace"])
            for (protocol, _), port in service.ports.items()
        }
        assert ends, f"no Service {named}"
        return lambda _source, _receiver, target: (
            (
                target.address,
                target.protocol,
                target.port,
            )
            in ends
        )


def _all(tests: Sequence[Match]) -> Match:
    return lambda source, receiver, target: all(t(source, receiver, target) for t in tests)


@cache
def _inside(nets: tuple[str, ...]) -> Callable[[Any], bool]:
    """felix/rules/policy.go, filterNets: a network says nothing about the other version of IP."""
    networks: list[IPv4Network | IPv6Network] = [ip_network(net) for net in nets]
    assert len({network.version for network in networks}) == 1, "one rule, one version of IP"

    @cache
    def test(address: Any) -> bool:
        return any(address in network for network in networks)

    return test
