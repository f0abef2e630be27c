"""The same cluster with a way in: its doors, who may come to them, and what they may reach."""

from __future__ import annotations

from dataclasses import replace

from components.documents import Document
from components.network.inbound.places import NAME, NAMESPACE, ROUTER_PORT, WEBHOOKS_PORT
from components.network.inbound.policies import (
    floor_inbound_fences,
    floor_way_in_policies,
    inbound_fences,
    way_in_policies,
)
from components.network.policies.places import NAMESPACE_NAME, PART_LABEL, QUARANTINE_LABEL
from components.tenancy.namespace import tenant_namespace
from corral.policy.steering import CLASS_LABEL
from corral.settings.inbound import Inbound, InboundDoors
from tests.network.policies import cluster
from tests.network.policies.model.world import Peer, Target, address

DOORS = InboundDoors.model_validate(
    {
        "webhooks": {"host": "hooks.example.org", "sources": ["192.30.252.0/22"]},
        "router": {"namespaces": ["orchestration"]},
    }
)
_HOOK = {
    "path": "/github",
    "signature": {"header": "X-Hub-Signature-256", "secret": "github"},
    "to": {"class": "worker", "port": 8080},
}
WAYS_IN = {
    "acme": Inbound.model_validate({"webhooks": {"github": _HOOK}, "router": {"ports": [9000]}}),
    "zeta": Inbound(),
    "held": Inbound.model_validate({"webhooks": {"github": _HOOK}, "router": {"ports": [9000]}}),
}
"""zeta has none."""


def _sandbox(name: str, tenant: str, at: str, agent_class: str, *, held: bool = False) -> Peer:
    labels = {CLASS_LABEL: agent_class, **({QUARANTINE_LABEL: "true"} if held else {})}
    return Peer(
        name=name,
        namespace=tenant_namespace(tenant),
        address=address(at),
        node="n2",
        labels=labels,
    )


def _of_doors(name: str, at: str, *, part: str = NAME, held: bool = False) -> Peer:
    labels = {PART_LABEL: part, **({QUARANTINE_LABEL: "true"} if held else {})}
    return Peer(name=name, namespace=NAMESPACE, address=address(at), node="n3", labels=labels)


DOOR = _of_doors("door", "192.168.31.1")
HELD_DOOR = _of_doors("door in quarantine", "192.168.31.2", held=True)
SANDBOXES = (
    _sandbox("worker of acme", "acme", "192.168.13.1", "worker"),
    _sandbox("planner of acme", "acme", "192.168.13.2", "planner"),
    _sandbox("worker of acme in quarantine", "acme", "192.168.13.3", "worker", held=True),
    _sandbox("worker of zeta", "zeta", "192.168.13.4", "worker"),
    _sandbox("worker of a tenant in quarantine", "held", "192.168.13.5", "worker"),
)
ORCHESTRATOR = Peer(
    name="orchestrator", namespace="orchestration", address=address("192.168.41.1"), node="n2"
)
SENDER = Peer(name="sender of webhooks", address=address("192.30.252.10"))
PEERS = (
    *SANDBOXES,
    DOOR,
    HELD_DOOR,
    _of_doors("stray pod beside the door", "192.168.31.3", part="other"),
    ORCHESTRATOR,
    Peer(
        name="pod that calls itself door",
        namespace="shop",
        address=address("192.168.40.2"),
        node="n2",
        labels={PART_LABEL: NAME},
    ),
    SENDER,
)

WORLD = replace(
    cluster.WORLD,
    peers=(*cluster.WORLD.peers, *PEERS),
    namespaces={
        **cluster.WORLD.namespaces,
        "orchestration": {NAMESPACE_NAME: "orchestration"},
    },
)

SOURCES = (*PEERS, cluster.INTERNET, cluster.GATEWAY_POD, cluster.NODES[0], cluster.NODES[2])
TARGETS = (
    *(
        Target(
            name=f"{peer.name}, {port}/{protocol}",
            address=peer.address,
            port=port,
            protocol=protocol,
        )
        for peer in PEERS
        if peer.pod
        for port, protocol in (
            (8080, "TCP"),
            (9000, "TCP"),
            (9000, "UDP"),
            (WEBHOOKS_PORT, "TCP"),
            (ROUTER_PORT, "TCP"),
        )
    ),
    Target(name="API server, 443/TCP", address=address("10.0.3.7"), port=443),
    Target(name="API server, 6443/TCP", address=address("10.0.3.7"), port=6443),
    Target(name="API server, SSH", address=address("10.0.3.7"), port=22),
    Target(name="IMDS", address=address("169.254.169.254"), port=80),
    Target(name="internet, 443/TCP", address=cluster.INTERNET.address, port=443),
)
ATTEMPTS = tuple((source, target) for source in SOURCES for target in TARGETS)


def calico_documents(**trial: list[str]) -> list[Document]:
    """All of ours with Calico."""
    found = [*cluster.calico_documents(**trial), *inbound_fences(DOORS)]
    for tenant, inbound in WAYS_IN.items():
        found += way_in_policies(tenant, inbound)
    return found


def floor_documents() -> list[Document]:
    """All of ours without."""
    found = [*cluster.floor_documents(), *floor_inbound_fences(DOORS, ["10.0.3.7/32"])]
    for tenant, inbound in WAYS_IN.items():
        found += floor_way_in_policies(tenant, inbound)
    return found
