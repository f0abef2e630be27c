"""Who reaches the doors, and what the doors reach, judged over a model of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy

import pytest

from components.documents import Document
from components.network.inbound.places import NAME, NAMESPACE, ROUTER_PORT, WEBHOOKS_PORT
from components.network.inbound.policies import (
    floor_inbound_fences,
    floor_way_in_policies,
    inbound_fences,
    way_in_policies,
)
from components.network.policies.documents import shared_floor, shared_policies
from components.network.policies.fences import Beyond
from components.network.policies.places import (
    EGRESS_NAMESPACE,
    NAMESPACE_NAME,
    PART_LABEL,
    QUARANTINE_LABEL,
)
from components.network.policies.refused import ClusterRanges
from components.tenancy.namespace import tenant_namespace
from components.tenancy.network_policy import default_deny_document
from corral.policy.steering import CLASS_LABEL, TENANT_LABEL
from corral.settings.inbound import Inbound, InboundDoors
from tests.network.policies.model.calico import CalicoPolicies
from tests.network.policies.model.kubernetes import KubernetesPolicies
from tests.network.policies.model.verdicts import Policies, judge
from tests.network.policies.model.world import Peer, Service, Target, World, address

DOORS = InboundDoors.model_validate(
    {
        "webhooks": {"host": "hooks.example.org", "sources": ["192.30.252.0/22"]},
        "router": {"namespaces": ["orchestrators"]},
    }
)
HOOKED, ROUTED = 8080, 9000
TENANTS = {
    "acme": Inbound.model_validate(
        {
            "webhooks": {
                "github": {
                    "path": "/github",
                    "signature": {"header": "X-Sig", "secret": "s"},
                    "to": {"class": "coder", "port": HOOKED},
                }
            },
            "router": {"ports": [ROUTED]},
        }
    ),
    "rival": Inbound(),
    "held": Inbound.model_validate({"router": {"ports": [ROUTED]}}),
}
API_SERVER = Peer(name="API server", address=address("10.0.3.7"))
_MARKED = {QUARANTINE_LABEL: "true"}


def _pod(name: str, namespace: str, at: str, **labels: str) -> Peer:
    return Peer(name=name, namespace=namespace, address=address(at), node="n1", labels=labels)


ACME, RIVAL = tenant_namespace("acme"), tenant_namespace("rival")
PODS = (
    _pod("doors", NAMESPACE, "192.168.50.1", **{PART_LABEL: NAME}),
    _pod("stray", NAMESPACE, "192.168.50.2"),
    _pod("coder", ACME, "192.168.10.1", **{CLASS_LABEL: "coder"}),
    _pod("tester", ACME, "192.168.10.2", **{CLASS_LABEL: "tester"}),
    _pod("in quarantine", ACME, "192.168.10.3", **{CLASS_LABEL: "coder"}, **_MARKED),
    _pod("calls itself door", ACME, "192.168.10.4", **{PART_LABEL: NAME}),
    _pod("rival's", RIVAL, "192.168.11.1", **{CLASS_LABEL: "coder"}),
    _pod("of a tenant in quarantine", tenant_namespace("held"), "192.168.12.1"),
    _pod("orchestrator", "orchestrators", "192.168.20.1"),
    _pod("shop", "shop", "192.168.40.1", **{PART_LABEL: NAME}),
    _pod("gateway", EGRESS_NAMESPACE, "192.168.30.1", **{PART_LABEL: "egress-gateway"}),
)
OUTSIDE = (
    API_SERVER,
    Peer(name="GitHub", address=address("192.30.252.44")),
    Peer(name="anybody", address=address("151.101.0.223")),
    Peer(name="metadata", address=address("169.254.169.254")),
    Peer(name="another node", node="n2", address=address("10.0.1.12")),
)
NAMESPACES = {
    **{tenant_namespace(name): {TENANT_LABEL: name} for name in TENANTS},
    **{key: {} for key in (NAMESPACE, EGRESS_NAMESPACE, "orchestrators", "shop", "default")},
}
NAMESPACES[tenant_namespace("held")] = {TENANT_LABEL: "held", **_MARKED}
WORLD = World(
    peers=(*PODS, *OUTSIDE),
    services=[
        Service(
            name="kubernetes",
            namespace="default",
            address=address("172.20.0.1"),
            ports={("TCP", 443): 443},
            backend=API_SERVER,
        )
    ],
    namespaces={name: {NAMESPACE_NAME: name, **labels} for name, labels in NAMESPACES.items()},
    node_ports={},
)
PORTS = (WEBHOOKS_PORT, ROUTER_PORT, 9902, HOOKED, ROUTED, 443, 10250, 80)

MEANT = {
    ("GitHub", "doors", WEBHOOKS_PORT),
    ("orchestrator", "doors", ROUTER_PORT),
    ("doors", "API server", 443),
    ("doors", "coder", HOOKED),
    ("doors", "coder", ROUTED),
    ("doors", "tester", ROUTED),
    ("doors", "calls itself door", ROUTED),
}
"""Every connection that has a door, or the pods beside it, at one end."""

RANGES = ClusterRanges(networks={"nodes": ["10.0.0.0/22"]})


def calico_documents() -> list[Document]:
    """All of a cluster with Calico."""
    return [
        *shared_policies(RANGES, Beyond(dns=["10.0.0.2"])),
        *inbound_fences(DOORS),
        *(each for name, inbound in TENANTS.items() for each in way_in_policies(name, inbound)),
        *(default_deny_document(name) for name in TENANTS),
    ]


def floor_documents() -> list[Document]:
    """All of one without."""
    return [
        *shared_floor(RANGES, Beyond(dns=["10.0.0.2"])),
        *floor_inbound_fences(DOORS, ["10.0.3.7/32"]),
        *(
            each
            for name, inbound in TENANTS.items()
            for each in floor_way_in_policies(name, inbound)
        ),
        *(default_deny_document(name) for name in TENANTS),
    ]


def calico(documents: Sequence[Document]) -> Policies:
    """Calico's tiers, and what is beneath them."""
    return CalicoPolicies(WORLD, documents)


def floor(documents: Sequence[Document]) -> Policies:
    """Kubernetes' own alone."""
    return KubernetesPolicies(WORLD, documents)


def reached(policies: Policies) -> set[tuple[str, str, int]]:
    """Who reaches whom by TCP, of all that has to do with the way in and with sandboxes."""
    found = set()
    for source in (*PODS, *OUTSIDE):
        for receiver in (*PODS, *OUTSIDE):
            if source is receiver or not {source, receiver} & set(PODS[:8]):
                continue
            for port in PORTS:
                target = Target(name="", address=receiver.address, protocol="TCP", port=port)
                if judge(WORLD, policies, source, target).passes:
                    found.add((source.name, receiver.name, port))
    return found


KINDS = {"calico": (calico, calico_documents), "floor": (floor, floor_documents)}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_meant_gets_through_and_nothing_else(kind: str) -> None:
    policies, documents = KINDS[kind]
    assert reached(policies(documents())) == MEANT


def ours(documents: Sequence[Document]) -> list[int]:
    """Places of the policies that are the way in's."""
    return [
        at
        for at, document in enumerate(documents)
        if document["metadata"].get("namespace") == NAMESPACE
        or "way-in" in document["metadata"]["name"]
    ]


def allowances(documents: Sequence[Document]) -> Iterator[tuple[int, str, int]]:
    """Every rule of ours that allows something: its policy, direction and place."""
    for at in ours(documents):
        for direction in ("ingress", "egress"):
            for place, rule in enumerate(documents[at]["spec"].get(direction, ())):
                if rule.get("action", "Allow") == "Allow":
                    yield at, direction, place


@pytest.mark.parametrize("kind", KINDS)
def test_no_allowance_is_there_for_nothing(kind: str) -> None:
    policies, documents = KINDS[kind]
    idle = []
    for at, direction, place in allowances(documents()):
        changed = deepcopy(documents())
        del changed[at]["spec"][direction][place]
        # What a tenant in quarantine would have, shows when it is let out of it.
        held = "held" in str(changed[at]["metadata"])
        if reached(policies(changed)) == MEANT and not held:
            idle.append((changed[at]["metadata"]["name"], direction, place))
    assert idle == []


def opened(documents: Sequence[Document], where: str, direction: str) -> list[Document]:
    """With an allowance for everybody in all of our policies of that kind of namespace."""
    changed = deepcopy([*documents])
    for at in ours(documents):
        if (documents[at]["metadata"]["namespace"] == NAMESPACE) == (where == NAMESPACE):
            spec = changed[at]["spec"]
            everybody: Document = {}
            if documents[at]["apiVersion"].startswith("projectcalico"):
                named = {"annotations": {"corral.dev/rule": "everybody"}}
                everybody = {"action": "Allow", "metadata": named}
            if direction in spec:
                spec[direction] = [everybody, *spec[direction]]
    return changed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ["sandboxes", NAMESPACE])
def test_a_sandbox_is_closed_at_both_ends(kind: str, end: str) -> None:
    """Whichever end is opened to everybody by mistake, the other one still stands."""
    policies, documents = KINDS[kind]
    direction = "egress" if end == NAMESPACE else "ingress"
    sandboxes = {pod.name for pod in PODS[2:8]}
    changed = reached(policies(opened(documents(), end, direction)))
    into = {each for each in changed if each[0] == "doors" and each[1] in sandboxes}
    if kind == "floor" and end == NAMESPACE:
        # Kubernetes' own policies can't say "unless this namespace is marked": that a tenant is in
        # quarantine is known at the doors' end alone.
        into.discard(("doors", "of a tenant in quarantine", ROUTED))
    assert into == {each for each in MEANT if each[1] in sandboxes}
    assert changed != MEANT, "it was opened, and others came in"


def test_a_door_that_isnt_there_isnt_let_through() -> None:
    for doors in (InboundDoors(router=DOORS.router), InboundDoors(webhooks=DOORS.webhooks)):
        documents = [*shared_policies(RANGES, Beyond()), *inbound_fences(doors)]
        into = {each for each in reached(calico(documents)) if each[1] == "doors"}
        assert into < MEANT


def test_a_tenant_without_ways_in_has_no_policy_for_them() -> None:
    assert way_in_policies("rival", Inbound()) == []
    assert floor_way_in_policies("rival", Inbound()) == []
