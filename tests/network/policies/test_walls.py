"""What must hold whatever the tables say: each sentence over all attempts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from ipaddress import ip_network

import pytest

from components.documents import Document
from components.network.gateway.denied import DENIED
from components.network.gateway.ports import doors
from components.network.policies.documents import (
    shared_floor,
    shared_policies,
    tenant_floor,
    tenant_policies,
)
from components.network.policies.places import EGRESS_NAMESPACE, PACKAGES_PORT
from components.tenancy.namespace import tenant_namespace
from corral.settings.egress import HIGHEST_NUMBER, Egress
from corral.settings.tenants import NAMESPACE_PREFIX
from tests.network.policies.cluster import (
    BEYOND,
    INTERNET,
    MIRRORS,
    NODES,
    PODS,
    RANGES,
    TENANTS,
    WORLD,
    calico_documents,
    everybody_else,
)
from tests.network.policies.matrix import (
    ATTEMPTS,
    GATEWAY,
    RESOLVER,
    SANDBOX,
    SOURCES,
    floor_alone,
    verdicts,
    with_calico,
)
from tests.network.policies.model.calico import CalicoPolicies
from tests.network.policies.model.kubernetes import KubernetesPolicies
from tests.network.policies.model.verdicts import OWN_NODE, Policies, Verdict
from tests.network.policies.model.world import Peer, Target
from tests.network.policies.targets import NETWORKS, TARGETS

SANDBOXES = [pod for pod in PODS if pod.namespace.startswith(NAMESPACE_PREFIX)]
HELD = [pod for pod in PODS if "in quarantine" in pod.name]
FREE = [pod for pod in SANDBOXES if pod not in HELD]
EGRESS = [pod for pod in PODS if pod.namespace == EGRESS_NAMESPACE]
OTHERS = [pod for pod in PODS if pod not in SANDBOXES and pod not in EGRESS and pod not in HELD]

WALLS: dict[str, Policies] = {"calico": with_calico(), "floor": floor_alone()}


def reached(policies: Policies, source: Peer) -> set[str]:
    """Names of what it gets through to."""
    mine = ((source, target) for target in TARGETS)
    return {target.name for (_, target), verdict in verdicts(policies, mine) if verdict.passes}


def attempts_at(pods: Iterable[Peer]) -> Iterator[tuple[Peer, Target, Peer]]:
    """All attempts that end at one of these pods, Services resolved."""
    for source, target in ATTEMPTS:
        receiver = WORLD.at(WORLD.behind(target).address)
        if receiver is not None and receiver in pods:
            yield source, target, receiver


def one(policies: Policies, source: Peer, target: Target) -> Verdict:
    """Of one attempt."""
    return next(verdicts(policies, [(source, target)]))[1]


def tenant_of(pod: Peer) -> str:
    return pod.namespace.removeprefix(NAMESPACE_PREFIX)


def own_doors(tenant: str) -> set[str]:
    """What a tenant's sandboxes may reach: by its Services, and at the pods behind them."""
    mine = doors(TENANTS[tenant].number)
    ends = {
        (GATEWAY.address, "TCP", mine.proxy),
        (GATEWAY.address, "TCP", mine.tls),
        (RESOLVER.address, "UDP", mine.dns),
        (RESOLVER.address, "TCP", mine.dns),
        (MIRRORS[tenant].address, "TCP", PACKAGES_PORT),
    }
    found = {target: WORLD.behind(target) for target in TARGETS}
    return {
        target.name
        for target, real in found.items()
        if (real.address, real.protocol, real.port) in ends
    }


@pytest.mark.parametrize("sandbox", FREE, ids=lambda pod: pod.name)
def test_a_sandbox_reaches_its_own_doors_and_nothing_else(sandbox: Peer) -> None:
    assert reached(WALLS["calico"], sandbox) == own_doors(tenant_of(sandbox))


@pytest.mark.parametrize("sandbox", FREE, ids=lambda pod: pod.name)
def test_on_the_floor_it_also_reaches_its_own_node_and_nothing_else(sandbox: Peer) -> None:
    own_node = next(node.address for node in NODES if node.node == sandbox.node)
    there = {target.name for target in TARGETS if WORLD.behind(target).address == own_node}
    assert there
    found = reached(WALLS["floor"], sandbox)
    assert found == own_doors(tenant_of(sandbox)) | there


@pytest.mark.parametrize("walls", WALLS)
def test_tenants_are_apart_at_both_ends(walls: str) -> None:
    """Another tenant's sandbox, or its port: the one end refuses, and so would the other."""
    tried = 0
    for source, target, receiver in attempts_at([*SANDBOXES, GATEWAY, RESOLVER]):
        if source not in FREE or target.name in own_doors(tenant_of(source)):
            continue
        verdict = one(WALLS[walls], source, target)
        assert not verdict.leaving.passes, (source.name, target.name)
        assert not verdict.arriving.passes, (source.name, target.name, receiver.name)
        tried += 1
    assert tried > 150


@pytest.mark.parametrize("walls", WALLS)
def test_nobody_comes_in_to_a_sandbox_but_its_own_node(walls: str) -> None:
    for source, target, receiver in attempts_at(SANDBOXES):
        verdict = one(WALLS[walls], source, target)
        own = source.host and source.node == receiver.node
        assert verdict.arriving.passes == own, (source.name, target.name)


@pytest.mark.parametrize("held", HELD, ids=lambda pod: pod.name)
def test_quarantine_wins_over_everything(held: Peer) -> None:
    for target in TARGETS:
        said = one(WALLS["calico"], held, target).leaving
        assert not said.passes, target.name
        assert "/quarantine" in said.by
        assert said.logged, "a denial that nobody hears of helps no one"
    for source, target, _ in attempts_at([held]):
        said = one(WALLS["calico"], source, target).arriving
        assert said == OWN_NODE or "/quarantine" in said.by, (source.name, target.name)


@pytest.mark.parametrize(
    "held", [pod for pod in HELD if pod in SANDBOXES + EGRESS], ids=lambda pod: pod.name
)
def test_on_the_floor_quarantine_ends_all_but_the_own_node(held: Peer) -> None:
    own_node = next(node.address for node in NODES if node.node == held.node)
    for target in TARGETS:
        if WORLD.behind(target).address != own_node:
            assert not one(WALLS["floor"], held, target).passes, target.name


OPEN_PORTS = (21, 24, 52, 80, 443, 465, 587, 852, 6442, 8443, 10249, 10255, 65535)
"""Of those that are tried: what a tenant's list may open, a gateway may reach."""

NAMED = {
    "IMDS": "metadata",
    "Pod Identity": "metadata",
    "IMDS by IPv6": "metadata",
    "Pod Identity by IPv6": "metadata",
    "the cloud's DNS": "metadata",
    "network 10.0.0.0/8": "private",
    "network fe80::/10": "link-local",
    "network 100.64.0.0/10": "carrier-nat",
    "node n4, a web server": "nodes",
    "node n1, SSH": "nodes",
    "node n1, kubelet": "kubelet",
    "node n1, kubelet's read-only port": "kubelet",
    "network 192.168.0.0/17": "pods",
    "network 172.20.0.0/16": "services",
    "Service kubernetes:443/TCP": "api-server",
    "API server, 443/TCP": "api-server",
    "internet, 25/TCP": "smtp",
    "internet, 587/TCP": "smtp",
    "internet, 853/TCP": "dns-over-tls",
    "internet, 853/UDP": "dns-over-tls",
    "internet, 443/UDP": "quic",
    "internet, 443/TCP": "not-on-the-list",
    "internet, ICMP": "not-on-the-list",
    "internet by IPv6, 443/TCP": "not-on-the-list",
}


@pytest.mark.parametrize("target", NAMED)
def test_what_is_refused_is_refused_by_name_and_logged(target: str) -> None:
    found = next(each for each in (*TARGETS, *NETWORKS) if each.name == target)
    said = one(WALLS["calico"], SANDBOX, found).leaving
    assert str(said) == f"deny sandbox.refused/{NAMED[target]} (logged)"


@pytest.mark.parametrize("walls", WALLS)
def test_the_gateway_reaches_the_internet_its_dns_and_private_entries_alone(walls: str) -> None:
    allowed = {
        *(f"internet, {port}/TCP" for port in OPEN_PORTS),
        "DNS upstream, 53/UDP",
        "DNS upstream, 53/TCP",
        "package mirror",
        "host beside the API server, 443",
        "host beside the API server, 80",
        "Service egress-control:8443/TCP",
        "control plane, discovery",
    }
    own = {t.name for t in TARGETS if t.address == NODES[2].address} if walls == "floor" else set()
    assert reached(WALLS[walls], GATEWAY) == allowed | own


@pytest.mark.parametrize("walls", WALLS)
def test_whatever_address_envoy_refuses_its_fence_refuses_too(walls: str) -> None:
    tried = [network for network in DENIED if network != "::ffff:0:0/96"]
    for network in tried:
        for at in (ip_network(network)[0], ip_network(network)[-1]):
            for port in (443, 8443):
                target = Target(name=network, address=at, port=port)
                assert not one(WALLS[walls], GATEWAY, target).leaving.passes, network


@pytest.mark.parametrize("tenant", ["acme", "zeta"])
def test_a_mirror_reaches_its_door_and_nothing_else(tenant: str) -> None:
    mine = doors(TENANTS[tenant].number)
    there = {
        target.name
        for target in TARGETS
        if (real := WORLD.behind(target)).address == GATEWAY.address
        and (real.protocol, real.port) == ("TCP", mine.registries)
    }
    assert {f"Service registries-{tenant}:443/TCP"} < there
    mirror = MIRRORS[tenant]
    assert reached(WALLS["calico"], mirror) == there
    assert reached(WALLS["floor"], mirror) - _own_node(mirror) == there


def test_the_resolver_and_the_control_plane_reach_nothing_further() -> None:
    control = {"Service egress-control:8443/TCP", "control plane, discovery"}
    api = {"Service kubernetes:443/TCP", "API server, 443/TCP"}
    by_name = {pod.name: pod for pod in PODS}
    assert reached(WALLS["calico"], RESOLVER) == control
    assert reached(WALLS["calico"], by_name["control plane"]) == api
    assert reached(WALLS["calico"], by_name["stray pod beside the gateway"]) == set()


def test_labels_that_a_tenant_may_set_open_nothing() -> None:
    by_name = {pod.name: pod for pod in PODS}
    for word in ("gateway", "resolver", "control plane"):
        impostor = by_name[f"sandbox that calls itself {word}"]
        for walls in WALLS.values():
            assert reached(walls, impostor) - _own_node(impostor) == own_doors("acme")


def _own_node(pod: Peer) -> set[str]:
    own = next(node.address for node in NODES if node.node == pod.node)
    return {target.name for target in TARGETS if WORLD.behind(target).address == own}


def test_what_isnt_ours_is_left_alone() -> None:
    """System namespaces and others' pods reach each other and the world as if we weren't here; even
    with our own quarantine label on them."""
    without = CalicoPolicies(WORLD, everybody_else())
    pairs = [
        (source, target)
        for source in (*OTHERS, *NODES, INTERNET)
        for target in TARGETS
        if (at := WORLD.at(WORLD.behind(target).address)) not in SANDBOXES and at not in EGRESS
    ]
    assert len(pairs) > 400
    for attempt, verdict in verdicts(WALLS["calico"], pairs):
        assert verdict == one(without, *attempt)


def test_a_node_reaches_its_own_pods() -> None:
    """Probes come by that way; it is also what no policy can stop."""
    for source, target, receiver in attempts_at([*SANDBOXES, *EGRESS]):
        if source.host:
            verdict = one(WALLS["calico"], source, target)
            assert verdict.passes == (source.node == receiver.node)


def test_an_administrators_open_policy_opens_nothing_of_ours() -> None:
    alone = CalicoPolicies(WORLD, calico_documents())
    for source in (*SANDBOXES, *EGRESS):
        assert reached(alone, source) == reached(WALLS["calico"], source)


def _without_last_words(documents: list[Document]) -> list[Document]:
    """Each policy without the rules that deny everything."""
    found = deepcopy(documents)
    for document in found:
        for key in ("ingress", "egress"):
            rules = document["spec"].get(key, [])
            # Of quarantine they are all that there is.
            if document["spec"].get("order") != 0 and isinstance(rules, list):
                kept = [
                    rule
                    for rule in rules
                    if rule.get("action") == "Allow" or {"protocol", "destination"} & set(rule)
                ]
                if rules:
                    document["spec"][key] = kept
    return found


def test_the_tier_closes_what_no_rule_speaks_of() -> None:
    documents = _without_last_words(calico_documents())
    for source in (*SANDBOXES, *EGRESS):
        tier_alone = CalicoPolicies(WORLD, [*documents, *everybody_else()])
        assert reached(tier_alone, source) == reached(WALLS["calico"], source)
    open_tier = deepcopy(documents)
    open_tier[0]["spec"]["defaultAction"] = "Pass"
    passing = CalicoPolicies(WORLD, [*open_tier, *everybody_else()])
    assert "internet, 443/TCP" in reached(passing, SANDBOX), "this test can fail"


def _enforced(document: Document) -> Document:
    spec = {key: value for key, value in document["spec"].items() if key != "stagedAction"}
    return {**document, "kind": document["kind"].removeprefix("Staged"), "spec": spec}


def test_a_rule_on_trial_decides_nothing_and_is_there_to_be_judged() -> None:
    documents = calico_documents(partners=["151.101.0.0/16"])
    kinds = [d["kind"] for d in documents if d["metadata"]["name"] == "sandbox.gateway"]
    assert kinds == ["NetworkPolicy", "StagedNetworkPolicy"]
    policies = CalicoPolicies(WORLD, [*documents, *everybody_else()])
    for attempt, verdict in verdicts(policies):
        assert verdict == one(WALLS["calico"], *attempt)
    # Enforced, it would be missed by the gateway.
    enforced = [
        _enforced(each)
        for each in documents
        if each["kind"].startswith("Staged") or each["metadata"]["name"] != "sandbox.gateway"
    ]
    then = CalicoPolicies(WORLD, [*enforced, *everybody_else()])
    target = next(each for each in TARGETS if each.name == "internet, 443/TCP")
    assert str(one(then, GATEWAY, target).leaving) == "deny sandbox.gateway/partners (logged)"


@pytest.mark.parametrize("number", [1, 63, 64, 5000, HIGHEST_NUMBER])
@pytest.mark.parametrize("walls", WALLS)
def test_every_number_has_doors_that_open(walls: str, number: int) -> None:
    """The port of number 63 at the resolver is one that kubelets have elsewhere."""
    acme = Egress(number=number)
    documents = (
        [*shared_policies(RANGES, BEYOND), *tenant_policies("acme", acme)]
        if walls == "calico"
        else [*shared_floor(RANGES, BEYOND), *tenant_floor("acme", acme)]
    )
    judges = CalicoPolicies if walls == "calico" else KubernetesPolicies
    mine = doors(number)
    for pod, protocol, port in (
        (GATEWAY, "TCP", mine.proxy),
        (GATEWAY, "TCP", mine.tls),
        (RESOLVER, "UDP", mine.dns),
        (RESOLVER, "TCP", mine.dns),
    ):
        target = Target(name="door", address=pod.address, protocol=protocol, port=port)
        assert one(judges(WORLD, documents), SANDBOX, target).passes


def test_every_kind_of_source_is_tried() -> None:
    assert {tenant_namespace(name) for name in TENANTS} < {source.namespace for source in SOURCES}
    assert {GATEWAY, RESOLVER, SANDBOX, INTERNET} <= set(SOURCES)
