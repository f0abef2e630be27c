"""The model does what the documentation says: cases that our own policies don't all meet."""

from __future__ import annotations

from typing import Any

import pytest

from components.documents import Document
from components.network.policies.tier import RULE
from tests.network.policies.model.calico import CalicoPolicies
from tests.network.policies.model.kubernetes import KubernetesPolicies
from tests.network.policies.model.selectors import selector
from tests.network.policies.model.verdicts import Policies, Verdict, judge
from tests.network.policies.model.world import Peer, Service, Target, World, address

CLIENT = Peer(
    name="client",
    namespace="a",
    node="n1",
    address=address("10.1.0.1"),
    labels={"app": "client"},
)
SERVER = Peer(
    name="server",
    namespace="b",
    node="n2",
    address=address("10.1.0.2"),
    labels={"app": "server"},
)
OWN_NODE = Peer(name="n2", node="n2", address=address("10.0.0.2"))
OTHER_NODE = Peer(name="n1", node="n1", address=address("10.0.0.1"))
HOST_SERVED = Peer(name="api", address=address("10.0.0.9"))

WORLD = World(
    peers=(CLIENT, SERVER, OWN_NODE, OTHER_NODE, HOST_SERVED),
    services=(
        Service(
            name="web",
            namespace="b",
            address=address("172.20.0.1"),
            ports={("TCP", 80): 8080},
            backend=SERVER,
        ),
        Service(
            name="kubernetes",
            namespace="default",
            address=address("172.20.0.2"),
            ports={("TCP", 443): 6443},
            backend=HOST_SERVED,
        ),
    ),
    namespaces={"a": {"team": "one"}, "b": {"team": "two"}},
    node_ports={30080: (SERVER, 8080)},
)
AT_SERVER = Target(name="server", address=SERVER.address, port=8080)
BY_SERVICE = Target(name="web", address=address("172.20.0.1"), port=80)
NO_SUCH_PORT = Target(name="web, another port", address=address("172.20.0.1"), port=81)
BY_NODE_PORT = Target(name="node port", address=OTHER_NODE.address, port=30080)


def tier(name: str, order: float, default: str = "Deny") -> Document:
    spec = {"order": order, "defaultAction": default}
    return {
        "apiVersion": "projectcalico.org/v3",
        "kind": "Tier",
        "metadata": {"name": name},
        "spec": spec,
    }


def gnp(name: str, tier: str, order: float, *rules: Document, **spec: Any) -> Document:
    """For what the client sends."""
    return {
        "apiVersion": "projectcalico.org/v3",
        "kind": spec.pop("kind", "GlobalNetworkPolicy"),
        "metadata": {"name": name, **spec.pop("metadata", {})},
        "spec": {
            "tier": tier,
            "order": order,
            "types": ["Egress"],
            "selector": "app == 'client'",
            "egress": [*rules],
            **spec,
        },
    }


def does(action: str, name: str = "r", **fields: Any) -> Document:
    return {"action": action, "metadata": {"annotations": {RULE: name}}, **fields}


def sent(*documents: Document, target: Target = AT_SERVER) -> str:
    """What is said of what the client sends."""
    return str(judge(WORLD, CalicoPolicies(WORLD, documents), CLIENT, target).leaving)


FIRST, SECOND = tier("first", 1), tier("second", 2)
ALLOW, DENY, PASS, LOG = (does(action, action) for action in ("Allow", "Deny", "Pass", "Log"))
NEVER = does("Allow", "never", protocol="UDP")

CASES: dict[str, tuple[list[Document], str]] = {
    "nothing is said: what no tier speaks of is open": ([FIRST], "allow no policy"),
    "allowed in a tier, no later one is asked": (
        [FIRST, SECOND, gnp("p", "first", 1, ALLOW), gnp("q", "second", 1, DENY)],
        "allow p/Allow",
    ),
    "passed on, the rest of the tier isn't asked": (
        [FIRST, SECOND, gnp("p", "first", 1, PASS, DENY), gnp("q", "second", 1, ALLOW)],
        "allow q/Allow",
    ),
    "passed on by the last tier": ([FIRST, gnp("p", "first", 1, PASS)], "allow no policy"),
    "tiers by their order": (
        [tier("z", 5), tier("a", 9), gnp("p", "a", 1, DENY), gnp("q", "z", 1, ALLOW)],
        "allow q/Allow",
    ),
    "policies by their order": (
        [FIRST, gnp("a", "first", 9, DENY), gnp("z", "first", 5, ALLOW)],
        "allow z/Allow",
    ),
    "policies of one order by name": (
        [FIRST, gnp("b", "first", 5, DENY), gnp("a", "first", 5, ALLOW)],
        "allow a/Allow",
    ),
    "logged, and on to the next rule": (
        [FIRST, gnp("p", "first", 1, LOG, DENY)],
        "deny p/Deny (logged as Log)",
    ),
    "a log decides nothing": (
        [FIRST, gnp("p", "first", 1, LOG)],
        "deny end of tier first (logged as Log)",
    ),
    "no rule fits: the tier's end": (
        [FIRST, gnp("p", "first", 1, NEVER)],
        "deny end of tier first",
    ),
    "no rule fits in a tier that passes": (
        [tier("t", 1, "Pass"), gnp("p", "t", 1, NEVER)],
        "allow no policy",
    ),
    "a tier that speaks of others has no end for this pod": (
        [FIRST, gnp("p", "first", 1, DENY, selector="app == 'other'")],
        "allow no policy",
    ),
    "a tier that speaks of the other direction has none either": (
        [FIRST, gnp("p", "first", 1, types=["Ingress"], ingress=[])],
        "allow no policy",
    ),
    "a tier of staged policies alone has none": (
        [FIRST, gnp("p", "first", 1, DENY, kind="StagedGlobalNetworkPolicy")],
        "allow no policy",
    ),
    "a tier that isn't there isn't applied": ([gnp("p", "first", 1, DENY)], "allow no policy"),
    "an empty list of networks is any": (
        [FIRST, gnp("p", "first", 1, does("Allow", destination={"nets": []}))],
        "allow p/r",
    ),
    "a network of the other version of IP never fits": (
        [FIRST, gnp("p", "first", 1, does("Allow", destination={"nets": ["::/0"]}))],
        "deny end of tier first",
    ),
    "a selector speaks of pods in all namespaces": (
        [FIRST, gnp("p", "first", 1, does("Allow", destination={"selector": "app == 'server'"}))],
        "allow p/r",
    ),
    "a namespaced policy's selector speaks of its own namespace": (
        [
            FIRST,
            gnp(
                "p",
                "first",
                1,
                does("Allow", destination={"selector": "app == 'server'"}),
                kind="NetworkPolicy",
                metadata={"namespace": "a"},
            ),
        ],
        "deny end of tier first",
    ),
    "with namespaces selected it speaks of those": (
        [
            FIRST,
            gnp(
                "p",
                "first",
                1,
                does(
                    "Allow",
                    destination={
                        "namespaceSelector": "team == 'two'",
                        "selector": "app == 'server'",
                    },
                ),
                kind="NetworkPolicy",
                metadata={"namespace": "a"},
            ),
        ],
        "allow p/r",
    ),
    "a namespaced policy is for pods of its namespace": (
        [
            FIRST,
            gnp("p", "first", 1, DENY, kind="NetworkPolicy", metadata={"namespace": "b"}),
        ],
        "allow no policy",
    ),
    "its networks and ports are anybody's": (
        [
            FIRST,
            gnp(
                "p",
                "first",
                1,
                does("Allow", protocol="TCP", destination={"ports": [8080]}),
                kind="NetworkPolicy",
                metadata={"namespace": "a"},
            ),
        ],
        "allow p/r",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_tiers_policies_and_rules_are_judged_as_documented(case: str) -> None:
    documents, word = CASES[case]
    assert sent(*documents) == word


def test_services_and_node_ports_become_what_is_behind_them_before_any_policy() -> None:
    by_pod = gnp("p", "first", 1, does("Allow", destination={"nets": ["10.1.0.2/32"]}))
    by_service = gnp("p", "first", 1, does("Allow", destination={"nets": ["172.20.0.0/16"]}))
    for target in (BY_SERVICE, BY_NODE_PORT):
        assert sent(FIRST, by_pod, target=target) == "allow p/r"
        assert sent(FIRST, by_service, target=target) == "deny end of tier first"
    assert sent(FIRST, by_service, target=NO_SUCH_PORT) == "allow p/r"


def test_a_rule_that_names_a_service_means_its_ends_with_their_ports() -> None:
    place = {"services": {"name": "kubernetes", "namespace": "default"}}
    allowed = gnp("p", "first", 1, does("Allow", destination=place))
    for port, word in ((6443, "allow p/r"), (443, "deny end of tier first")):
        direct = Target(name="direct", address=HOST_SERVED.address, port=port)
        assert sent(FIRST, allowed, target=direct) == word
    by_service = Target(name="s", address=address("172.20.0.2"), port=443)
    assert sent(FIRST, allowed, target=by_service) == "allow p/r"


def _closed_server() -> Document:
    return gnp("p", "first", 1, types=["Ingress"], ingress=[], selector="app == 'server'")


def test_both_ends_are_judged() -> None:
    policies = CalicoPolicies(WORLD, [FIRST, _closed_server()])
    verdict = judge(WORLD, policies, CLIENT, AT_SERVER)
    assert (verdict.leaving.passes, verdict.arriving.passes) == (True, False)
    assert not verdict.passes


def _from(policies: Policies, source: Peer) -> Verdict:
    return judge(WORLD, policies, source, AT_SERVER)


def test_only_the_own_node_gets_past_a_pods_policies() -> None:
    policies = CalicoPolicies(WORLD, [FIRST, _closed_server()])
    assert _from(policies, OWN_NODE).passes
    assert not _from(policies, OTHER_NODE).passes


def test_what_a_pod_sends_to_its_own_node_is_judged_by_calico_and_free_on_the_floor() -> None:
    to_node = Target(name="kubelet", address=OTHER_NODE.address, port=10250)
    closed = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "closed", "namespace": "a"},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"]},
    }
    denied = gnp("p", "first", 1, DENY)
    calico = CalicoPolicies(WORLD, [FIRST, denied])
    assert not judge(WORLD, calico, CLIENT, to_node).passes
    assert not judge(WORLD, CalicoPolicies(WORLD, [closed]), CLIENT, to_node).passes
    assert judge(WORLD, KubernetesPolicies(WORLD, [closed]), CLIENT, to_node).passes


def test_kubernetes_policies_are_beneath_all_tiers() -> None:
    closed = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "closed", "namespace": "a"},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"]},
    }
    assert sent(FIRST, closed, gnp("p", "first", 1, ALLOW)) == "allow p/Allow"
    assert sent(FIRST, closed, gnp("p", "first", 1, PASS)) == "deny not allowed"


SELECTORS: dict[str, tuple[str, bool]] = {
    "has": ("has(corral.dev/tenant)", True),
    "has not": ("has(other)", False),
    "equal": ("a == 'x'", True),
    "absent": ("other == ''", False),
    "both": ("a == 'x' && b == 'y'", True),
    "and binds closer than or": ("a == 'x' || b == 'n' && a == 'n'", True),
    "either": ("a == 'n' || b == 'y'", True),
    "all": ("all()", True),
}


@pytest.mark.parametrize("case", SELECTORS)
def test_selectors(case: str) -> None:
    text, fits = SELECTORS[case]
    assert selector(text)({"corral.dev/tenant": "", "a": "x", "b": "y"}) == fits


@pytest.mark.parametrize("text", ["", "a", "a = 'x'", "!has(a)", "(a == 'x')", "a in {'x'}"])
def test_a_selector_that_isnt_understood_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="not a selector of the subset"):
        selector(text)
