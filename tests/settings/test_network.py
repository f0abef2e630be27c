"""The cluster's network in a stack file: what is refused, where, and with which way out."""

from __future__ import annotations

from copy import deepcopy
from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.settings.aws.cidrs import SERVICE_RANGES, service_network
from corral.settings.aws.contradictions import address_demand
from corral.settings.aws.pools import EksPool
from corral.settings.loading import load_value
from corral.settings.network import Calico, calico_of, pod_network_of
from corral.settings.network_contradictions import blocks_per_node
from corral.settings.problems import Problem, SettingsError
from corral.settings.stack import Settings
from tests.settings.good import good

TRUSTED: dict[str, Any] = {
    "aws": {
        "account-id": "123456789012",
        "region": "eu-west-1",
        "network": {
            "kind": "new",
            "cidr": "10.40.0.0/16",
            "zones": ["a", "b"],
            "peers": ["192.168.128.0/20"],
        },
    },
    "cluster": {"kind": "eks", "name": "agents"},
    "pools": {
        "system": {"machines": "virtual", "min-nodes": 2, "max-nodes": 2},
        "shared": {"tier": "container", "machines": "virtual", "max-nodes": 8},
    },
    "classes": {"judge": {"tier": "container"}},
}
"""A stack on EKS where no agent is untrusted."""

SANDBOXED = {
    **TRUSTED,
    "pools": {
        **TRUSTED["pools"],
        "sandboxed": {"tier": "gvisor", "machines": "virtual", "max-nodes": 8},
    },
    "classes": {**TRUSTED["classes"], "worker": {"tier": "gvisor"}},
}

ENTERPRISE = {"edition": "enterprise", "license": "owner"}
PODS = {"pods": "10.128.0.0/14"}

# base, network.calico, key that is told, part of the rule, part of the fix
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str, str, str]] = {
    "policies alone beside untrusted agents": (
        SANDBOXED,
        {"mode": "policy-only"},
        "mode",
        "tier gvisor: with policy-only a pod runs, and sends, before its policies are in force",
        "set mode: overlay",
    ),
    "policies alone without EKS' plugin": (
        good(),
        {"mode": "policy-only"},
        "mode",
        "overlay with cluster kind existing",
        "set mode: overlay",
    ),
    "addresses of an overlay that isn't there": (
        TRUSTED,
        {"mode": "policy-only", **PODS},
        "pods",
        "left out with mode policy-only",
        "remove it",
    ),
    "a wait that nothing keeps": (
        TRUSTED,
        {"mode": "policy-only", "policy-wait": 10},
        "policy-wait",
        "doesn't wait for Calico's policies",
        "remove it",
    ),
    "egress gateways of the open-source edition": (
        TRUSTED,
        {**PODS, "egress-gateways": {}},
        "egress-gateways",
        "Calico Open Source has no egress gateways",
        "a pool of purpose egress-gateway",
    ),
    "egress gateways without addresses for them": (
        TRUSTED,
        {**ENTERPRISE, "mode": "policy-only", "egress-gateways": {}},
        "egress-gateways",
        "need its own addresses",
        "set mode: overlay",
    ),
    "the open-source edition's flow logs in the other": (
        TRUSTED,
        {**PODS, **ENTERPRISE, "flow-logs": True},
        "flow-logs",
        "belong to Calico Open Source",
        "flow logs of its own",
    ),
    "pods in the VPC": (
        TRUSTED,
        {"pods": "10.40.128.0/17"},
        "pods",
        "it overlaps 10.40.0.0/16 (aws.network.cidr)",
        "write 10.0.0.0/17, for instance",
    ),
    "pods where services are": (
        TRUSTED,
        {"pods": "172.20.0.0/16"},
        "pods",
        "172.20.0.0/16 (Kubernetes services)",
        "for instance",
    ),
    "pods where a peer is, by the default": (
        TRUSTED,
        {},
        "pods",
        "it overlaps 192.168.128.0/20 (a peer)",
        "for instance",
    ),
    "pods with addresses that belong to somebody": (
        TRUSTED,
        {"pods": "8.8.0.0/16"},
        "pods",
        "private addresses",
        "choose a network in one of these",
    ),
    "more pods than addresses": (
        TRUSTED,
        {"pods": "10.128.0.0/22"},
        "pods",
        "at least 1280 addresses: each node takes 64 for every 64 pods",
        "write a network of /21 or larger",
    ),
    "more pods than addresses on nodes of one's own": (
        good(),
        {"pods": "10.128.0.0/24"},
        "pods",
        "addresses: each node takes 64",
        "or larger",
    ),
    "a network with a host's address": (
        TRUSTED,
        {"pods": "10.128.0.1/16"},
        "pods",
        "an IPv4 network in CIDR notation",
        "10.128.0.0/16",
    ),
    "no wait at all": (TRUSTED, {**PODS, "policy-wait": 0}, "policy-wait", "1 to 60", ""),
    "a wait of minutes": (TRUSTED, {**PODS, "policy-wait": 300}, "policy-wait", "1 to 60", ""),
    "an edition that there isn't": (
        TRUSTED,
        {**PODS, "edition": "cloud"},
        "edition",
        "oss, enterprise",
        "",
    ),
}


def settings(base: dict[str, Any], calico: dict[str, Any] | None = None) -> Settings:
    value = deepcopy(base)
    if calico is not None:
        value["network"] = {"calico": calico}
    return load_value(value, "stacks/Pulumi.test.yaml")


def problem(base: dict[str, Any], calico: dict[str, Any], key: str) -> Problem:
    with pytest.raises(SettingsError) as caught:
        settings(base, calico)
    where = f"corral:settings.network.calico.{key}"
    return {found.where: found for found in caught.value.problems}[where]


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_where_it_stands_with_reason_and_way_out(case: str) -> None:
    base, calico, key, rule, fix = REFUSED[case]
    found = problem(base, calico, key)
    assert rule in found.rule
    assert fix in found.fix


@pytest.mark.parametrize(
    "calico",
    [
        PODS,
        {"mode": "policy-only"},
        {"mode": "policy-only", "flow-logs": True},
        {**PODS, **ENTERPRISE, "policy-wait": 60},
    ],
)
def test_what_agrees_is_taken(calico: dict[str, Any]) -> None:
    assert settings(TRUSTED, calico).network.calico


def test_calico_is_on_eks_without_being_asked_for_and_elsewhere_only_then() -> None:
    base = {**TRUSTED, "aws": deepcopy(TRUSTED["aws"])}
    base["aws"]["network"]["peers"] = []
    on_eks, elsewhere = settings(base), settings(good())
    assert calico_of(on_eks.network, on_eks.cluster) == Calico()
    assert calico_of(elsewhere.network, elsewhere.cluster) is None
    asked = settings(good(), PODS)
    assert calico_of(asked.network, asked.cluster) == Calico(pods=PODS["pods"])


def test_an_overlay_takes_one_address_of_the_vpc_for_a_node_and_none_for_pods() -> None:
    overlay, vpc = settings(TRUSTED, PODS), settings(TRUSTED, {"mode": "policy-only"})
    assert pod_network_of(overlay.network) == "overlay"
    assert pod_network_of(vpc.network) == "vpc-prefixes"
    demand = {
        found.network: address_demand("shared", pool, found.aws, pod_network_of(found.network))
        for found in (overlay, vpc)
        for pool in [found.pools["shared"]]
        if isinstance(pool, EksPool) and found.aws is not None
    }
    assert demand[overlay.network].per_node == 1, "the node's own"
    assert demand[vpc.network].per_node > vpc.pools["shared"].pods


@given(st.integers(min_value=0, max_value=2**32 - 1), st.integers(min_value=16, max_value=28))
def test_services_never_have_addresses_of_the_vpc(first: int, prefix: int) -> None:
    vpc = IPv4Network((first, prefix), strict=False)
    chosen = service_network(vpc)
    assert chosen in SERVICE_RANGES and not IPv4Network(chosen).overlaps(vpc)


@given(st.integers(min_value=1, max_value=500))
def test_a_node_has_an_address_for_each_pod_and_no_whole_block_too_many(pods: int) -> None:
    blocks = blocks_per_node(pods)
    assert pods <= blocks * 64 < pods + 64
