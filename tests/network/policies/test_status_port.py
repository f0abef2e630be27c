"""The exporter asks agents: it alone, by that port alone, and nobody in quarantine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.documents import Document
from components.network.policies.fences import API_SERVER_PORTS
from components.network.policies.places import NAMESPACE_NAME, PART_LABEL
from components.network.policies.status_port import (
    EXPORTER,
    STATUS_PORT,
    asking_policy,
    floor_status_policy,
    status_policy,
)
from corral.settings.observability import NAMESPACE
from tests.network.policies import cluster
from tests.network.policies.model.calico import CalicoPolicies
from tests.network.policies.model.kubernetes import KubernetesPolicies
from tests.network.policies.model.verdicts import OWN_NODE, Policies, Verdict, judge
from tests.network.policies.model.world import Peer, Target, address


def _peer(name: str, namespace: str, at: str, part: str = "") -> Peer:
    labels = {PART_LABEL: part} if part else {}
    return Peer(name=name, namespace=namespace, address=address(at), node="n4", labels=labels)


EXPORTER_POD = _peer("exporter", NAMESPACE, "192.168.22.1", EXPORTER)
BESIDE = _peer("pod beside the exporter", NAMESPACE, "192.168.22.2")
IMPOSTOR = _peer("pod of others that calls itself exporter", "shop", "192.168.40.9", EXPORTER)
WORLD = replace(
    cluster.WORLD,
    peers=(*cluster.WORLD.peers, EXPORTER_POD, BESIDE, IMPOSTOR),
    namespaces={**cluster.WORLD.namespaces, NAMESPACE: {NAMESPACE_NAME: NAMESPACE}},
)
SANDBOX, OTHER_PORT, HELD, OF_HELD = (
    Target(name=f"{name}, {port}", address=address(at), port=port)
    for name, at, port in (
        ("sandbox of acme", "192.168.10.1", STATUS_PORT),
        ("sandbox of acme", "192.168.10.1", 8080),
        ("sandbox in quarantine", "192.168.10.5", STATUS_PORT),
        ("sandbox of a tenant in quarantine", "192.168.12.1", STATUS_PORT),
    )
)
_API_SERVER: Document = {
    "to": [{"ipBlock": {"cidr": "10.0.3.7/32"}}],
    "ports": [{"protocol": "TCP", "port": port} for port in API_SERVER_PORTS],
}


def with_calico() -> Policies:
    ours = [*cluster.calico_documents(), status_policy(), asking_policy([_API_SERVER])]
    return CalicoPolicies(WORLD, [*ours, *cluster.everybody_else()])


def floor_alone() -> Policies:
    mine = [floor_status_policy(name) for name in cluster.TENANTS]
    return KubernetesPolicies(
        WORLD, [*cluster.floor_documents(), *mine, asking_policy([_API_SERVER])]
    )


WALLS = {"calico": with_calico(), "floor": floor_alone()}


def said(walls: str, source: Peer, target: Target) -> Verdict:
    return judge(WORLD, WALLS[walls], source, target)


@pytest.mark.parametrize("walls", WALLS)
def test_the_exporter_asks_any_tenant_s_sandboxes(walls: str) -> None:
    assert said(walls, EXPORTER_POD, SANDBOX).passes
    zeta = replace(SANDBOX, address=address("192.168.11.1"))
    assert said(walls, EXPORTER_POD, zeta).passes


@pytest.mark.parametrize("walls", WALLS)
@pytest.mark.parametrize(
    "source",
    [
        BESIDE,
        IMPOSTOR,
        *(pod for pod in cluster.PODS if pod.name != "sandbox of acme"),
        cluster.NODES[2],
        cluster.INTERNET,
    ],
    ids=lambda peer: peer.name,
)
def test_nobody_else_does(walls: str, source: Peer) -> None:
    assert not said(walls, source, SANDBOX).arriving.passes


@pytest.mark.parametrize("walls", WALLS)
def test_by_that_port_alone(walls: str) -> None:
    verdict = said(walls, EXPORTER_POD, OTHER_PORT)
    assert not verdict.leaving.passes or walls == "calico", "its own policy is Kubernetes'"
    assert not verdict.arriving.passes


@pytest.mark.parametrize("walls", WALLS)
def test_a_sandbox_in_quarantine_isn_t_asked(walls: str) -> None:
    assert not said(walls, EXPORTER_POD, HELD).passes


def test_with_calico_a_tenant_in_quarantine_isn_t_either() -> None:
    assert not said("calico", EXPORTER_POD, OF_HELD).passes


@pytest.mark.parametrize("walls", WALLS)
def test_an_agent_reaches_the_exporter_by_nothing(walls: str) -> None:
    sandbox = next(pod for pod in cluster.PODS if pod.name == "sandbox of acme")
    for port in (STATUS_PORT, 9810, 443):
        target = Target(name="exporter", address=EXPORTER_POD.address, port=port)
        assert not said(walls, sandbox, target).leaving.passes


def test_the_exporter_reaches_the_api_server_and_sandboxes_and_nothing_else() -> None:
    for target, passes in (
        (Target(name="API server", address=address("10.0.3.7"), port=443), True),
        (Target(name="gateway", address=cluster.GATEWAY_POD.address, port=443), False),
        (Target(name="internet", address=cluster.INTERNET.address, port=443), False),
        (Target(name="kubelet", address=cluster.NODES[0].address, port=10250), False),
        (Target(name="pod of others", address=cluster.SHOP.address, port=STATUS_PORT), False),
    ):
        found = said("floor", EXPORTER_POD, target).leaving
        assert found.passes is passes, target.name
        assert found != OWN_NODE


def test_without_the_policy_nobody_asks() -> None:
    bare = CalicoPolicies(WORLD, [*cluster.calico_documents(), *cluster.everybody_else()])
    assert not judge(WORLD, bare, EXPORTER_POD, SANDBOX).passes
    bare_floor = KubernetesPolicies(WORLD, cluster.floor_documents())
    assert not judge(WORLD, bare_floor, EXPORTER_POD, SANDBOX).passes
