"""Network policies, evaluated: Calico's tier first, Kubernetes' own after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any, Literal

from components.documents import Document
from components.network.policies.tier import RULE
from corral.network.selectors import Labels, NotUnderstood, selects
from corral.network.target import Address

Direction = Literal["Ingress", "Egress"]

_CALICO = ("GlobalNetworkPolicy", "NetworkPolicy")
_KUBERNETES = "networking.k8s.io/v1"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One end of a connection: a pod, or what only has an address."""

    address: Address
    namespace: str = ""
    namespace_labels: Labels = field(default_factory=dict)
    labels: Labels = field(default_factory=dict)
    service: Mapping[str, str] = field(default_factory=dict)
    """The Service (name, namespace) that it is behind, for rules that name one."""
    name: str = ""
    """Whose answer from DNS the address is, for rules that name hosts (Calico Enterprise)."""


@dataclass(frozen=True, kw_only=True)
class _Connection:
    """A new one, as it is judged at the pod `own`."""

    direction: Direction
    own: Peer
    other: Peer
    protocol: str
    port: int

    @property
    def source(self) -> Peer:
        return self.own if self.direction == "Egress" else self.other

    @property
    def destination(self) -> Peer:
        return self.other if self.direction == "Egress" else self.own

    def rules(self, policy: Document) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = policy["spec"].get(self.direction.lower(), ())
        return found


@dataclass(frozen=True, kw_only=True)
class Word:
    """What the policies say at one end."""

    passes: bool
    policy: str
    rule: str

    def __str__(self) -> str:
        return f"{self.policy}: {self.rule}" if self.policy else self.rule


class Policies:
    """All documents of one cluster: a tier, its policies, and Kubernetes' own."""

    def __init__(self, documents: Sequence[Document]) -> None:
        calico = [each for each in documents if each["apiVersion"] != _KUBERNETES]
        self._tiers = [each for each in calico if each["kind"] == "Tier"]
        self._calico = sorted(
            (each for each in calico if each["kind"] in _CALICO),
            key=lambda each: (each["spec"]["order"], each["metadata"]["name"]),
        )
        self._own = [each for each in documents if each["apiVersion"] == _KUBERNETES]

    @property
    def denies(self) -> bool:
        """Whether rules can refuse by name here; else what isn't allowed is closed."""
        return bool(self._tiers)

    def word(
        self, direction: Direction, own: Peer, other: Peer, *, protocol: str, port: int
    ) -> Word:
        """At the pod `own`, of a new connection to `port`: its own, or the other's."""
        asked = _Connection(direction=direction, own=own, other=other, protocol=protocol, port=port)
        for tier in sorted(self._tiers, key=lambda each: int(each["spec"]["order"])):
            found = self._of_tier(tier, asked)
            if found is not None:
                return found
        return self._of_kubernetes(asked)

    def _of_tier(self, tier: Document, asked: _Connection) -> Word | None:
        """None where no policy of the tier is about this pod, or it is passed on."""
        name = tier["metadata"]["name"]
        applying = [
            each
            for each in self._calico
            if each["spec"]["tier"] == name
            and asked.direction in each["spec"]["types"]
            and _applies(each, asked.own)
        ]
        for policy in applying:
            for rule in asked.rules(policy):
                if rule["action"] == "Log" or not _rule_fits(policy, rule, asked):
                    continue
                if rule["action"] == "Pass":
                    return None
                called = rule.get("metadata", {}).get("annotations", {}).get(RULE, "unnamed")
                return Word(
                    passes=rule["action"] == "Allow",
                    policy=policy["metadata"]["name"],
                    rule=called,
                )
        if not applying or tier["spec"].get("defaultAction", "Deny") == "Pass":
            return None
        return Word(passes=False, policy=f"tier {name}", rule="what nothing allows is denied")

    def _of_kubernetes(self, asked: _Connection) -> Word:
        applying = [
            each
            for each in self._own
            if each["metadata"]["namespace"] == asked.own.namespace
            and asked.direction in each["spec"]["policyTypes"]
            and _labelled(each["spec"]["podSelector"], asked.own.labels)
        ]
        for policy in applying:
            if any(_allows(rule, asked) for rule in asked.rules(policy)):
                return Word(passes=True, policy=policy["metadata"]["name"], rule="allowed")
        if not applying:
            return Word(passes=True, policy="", rule="no policy is about this pod")
        names = ", ".join(each["metadata"]["name"] for each in applying)
        return Word(passes=False, policy=names, rule="what nothing allows is closed")


def _applies(policy: Document, own: Peer) -> bool:
    spec = policy["spec"]
    if policy["kind"] == "NetworkPolicy":
        if policy["metadata"]["namespace"] != own.namespace:
            return False
    elif not selects(spec.get("namespaceSelector", ""), own.namespace_labels):
        return False
    return selects(spec.get("selector", ""), own.labels)


def _rule_fits(policy: Document, rule: Mapping[str, Any], asked: _Connection) -> bool:
    home = policy["metadata"].get("namespace", "")
    version = asked.source.address.version
    return (
        rule.get("protocol", asked.protocol) == asked.protocol
        and rule.get("ipVersion", version) == version
        and _entity_fits(rule.get("source", {}), asked.source, home, None)
        and _entity_fits(rule.get("destination", {}), asked.destination, home, asked.port)
    )


_ENTITY = {"services", "domains", "nets", "ports", "selector", "namespaceSelector"}
"""What a rule may say of an end here."""


def _entity_fits(entity: Mapping[str, Any], peer: Peer, home: str, port: int | None) -> bool:
    if more := set(entity) - _ENTITY:
        raise NotUnderstood(f"a rule that asks for {', '.join(sorted(more))}")
    if "services" in entity:
        return dict(entity["services"]) == dict(peer.service)
    nets, ports, domains = entity.get("nets"), entity.get("ports"), entity.get("domains")
    return (
        (nets is None or any(_within(peer.address, net) for net in nets))
        and (domains is None or any(_named(each, peer.name) for each in domains))
        and (ports is None or any(_port_fits(each, port) for each in ports))
        and _selected(entity, peer, home)
    )


def _selected(entity: Mapping[str, Any], peer: Peer, home: str) -> bool:
    """In a namespace's own policy, a selector alone means pods of that namespace."""
    if "selector" not in entity and "namespaceSelector" not in entity:
        return True
    if "namespaceSelector" in entity:
        near = selects(entity["namespaceSelector"], peer.namespace_labels)
    else:
        near = peer.namespace == home or not home
    return bool(peer.namespace) and near and selects(entity.get("selector", ""), peer.labels)


def _named(domain: str, name: str) -> bool:
    """In Calico a wildcard takes as many labels as there are."""
    return name == domain or (domain.startswith("*.") and name.endswith(domain[1:]))


def _port_fits(written: int | str, port: int | None) -> bool:
    low, _, high = str(written).partition(":")
    return port is not None and int(low) <= port <= int(high or low)


def _within(address: Address, network: str) -> bool:
    found = ip_network(network)
    return address.version == found.version and address in found


def _allows(rule: Mapping[str, Any], asked: _Connection) -> bool:
    ports, peers = rule.get("ports"), rule.get("to" if asked.direction == "Egress" else "from")
    at_port = not ports or any(
        each.get("protocol", "TCP") == asked.protocol
        and each.get("port", asked.port)
        <= asked.port
        <= each.get("endPort", each.get("port", asked.port))
        for each in ports
    )
    return at_port and (not peers or any(_peer_fits(each, asked) for each in peers))


def _peer_fits(peer: Mapping[str, Any], asked: _Connection) -> bool:
    other = asked.other
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        inside = _within(other.address, block["cidr"])
        return inside and not any(_within(other.address, net) for net in block.get("except", ()))
    if "namespaceSelector" in peer:
        near = _labelled(peer["namespaceSelector"], other.namespace_labels)
    else:
        near = other.namespace == asked.own.namespace
    return bool(other.namespace) and near and _labelled(peer.get("podSelector", {}), other.labels)


def _labelled(selector: Mapping[str, Any], labels: Labels) -> bool:
    wanted = selector.get("matchLabels", {})
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_expressed(each, labels) for each in selector.get("matchExpressions", ()))


def _expressed(expression: Mapping[str, Any], labels: Labels) -> bool:
    key, values = expression["key"], expression.get("values", ())
    outcomes = {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }
    return outcomes[expression["operator"]]
