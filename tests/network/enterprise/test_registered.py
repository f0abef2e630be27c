"""Calico Enterprise as a whole program registers it: what there is in AWS and on the cluster, in
which order, and that nobody sees the owner's secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pytest

from components.network.calico import Calico, CalicoArgs, calico_place
from components.network.enterprise.addresses import NAMESPACE, POLICY, POLICY_ANNOTATION
from components.platform import Platform
from components.recording import Recorded, record
from corral.network.deployed import network_of
from corral.network.explain import Explanation, Question, explain
from corral.network.target import parse_target
from corral.network.walls import Way
from corral.settings.aws.cidrs import plan_cidrs
from corral.settings.layers import LAYERS, Layer, Part
from corral.settings.loading import load_value
from corral.settings.stack import Settings
from tests.components.test_layers import HANDED_OVER, Between
from tests.network.enterprise.examples import (
    EXISTING,
    LICENSE,
    OWN_SUBNETS,
    PLACE,
    PULL_SECRET,
    enterprise,
)

SUBNET, EIP = "aws:ec2/subnet:Subnet", "aws:ec2/eip:Eip"
GATEWAY = "kubernetes:operator.tigera.io/v1:EgressGateway"
LICENSE_KEY = "kubernetes:crd.projectcalico.org/v1:LicenseKey"
IN_CLEAR = (
    "the-token-of-a-licence",
    "the-certificate-of-a-licence",
    "the-password-of-a-registry",
)
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"
"""By this mark an engine knows that what stands beside it is encrypted and never shown."""


def settings(value: dict[str, Any] | None = None) -> Settings:
    return load_value(value or enterprise({}), "stacks/Pulumi.test.yaml")


@pytest.fixture
def secrets() -> Iterator[None]:
    """The owner's, as secrets of the stack."""
    keys = {"corral:calico-license": LICENSE, "corral:calico-pull-secret": PULL_SECRET}
    pulumi.runtime.set_all_config(keys, [*keys])
    yield
    pulumi.runtime.set_all_config({}, [])


def registered(value: dict[str, Any] | None = None) -> dict[str, Recorded]:
    """What a preview of the whole program registers, by URN."""
    return record(lambda: Platform("corral", settings(value)))


def calico_alone(*, preview: bool) -> dict[str, Recorded]:
    """What Calico's part registers: `up` knows nothing of an account here."""
    found = settings()
    assert found.network.calico is not None
    args = CalicoArgs(
        calico=found.network.calico,
        place=calico_place(found.cluster, found.pools),
        chart_source=None,
        protect=True,
        gateways=PLACE,
    )
    return record(lambda: Calico("calico", args), preview=preview)


def of_type(found: dict[str, Recorded], type_: str) -> dict[str, Recorded]:
    return {each.name: each for each in found.values() if each.type == type_}


@pytest.mark.usefixtures("secrets")
def test_gateways_are_there_with_all_that_they_need_of_aws() -> None:
    found = registered()
    own = {name: r for name, r in of_type(found, SUBNET).items() if name.startswith("egress-")}
    assert [*own] == ["egress-a", "egress-b"]
    plan = plan_cidrs(IPv4Network("10.40.0.0/16"), ("a", "b"))
    for subnet in own.values():
        network = IPv4Network(subnet.inputs["cidrBlock"])
        assert not any(network.overlaps(other.cidr) for other in plan.subnets), "none of theirs"
        assert not subnet.inputs["mapPublicIpOnLaunch"]
        assert subnet.protect
    addresses = {n: r for n, r in of_type(found, EIP).items() if n.startswith("egress-")}
    assert len(addresses) == 3, "one for each of two gateways, and one for what comes for another"
    assert all(each.protect for each in addresses.values()), "released, it never comes back"
    [gateway] = of_type(found, GATEWAY).values()
    assert gateway.inputs["spec"]["replicas"] == 2
    pools = of_type(found, "kubernetes:crd.projectcalico.org/v1:IPPool")
    assert {p.inputs["spec"]["cidr"] for p in pools.values()} == {
        subnet.inputs["cidrBlock"] for subnet in own.values()
    }
    assert all("spec.cidr" in pool.replace_on_changes for pool in pools.values())
    routes = of_type(found, "aws:ec2/routeTableAssociation:RouteTableAssociation")
    public = of_type(found, "aws:ec2/routeTable:RouteTable")["public"]
    assert all(public.urn in routes[f"egress-{zone}"].dependencies for zone in "ab"), (
        "an Elastic IP works where the way out is the internet gateway"
    )


@pytest.mark.usefixtures("secrets")
def test_somebody_s_vpc_gets_addresses_and_nothing_else() -> None:
    value = enterprise({"subnets": OWN_SUBNETS}, network=EXISTING)
    found = registered(value)
    made = {name for name in of_type(found, SUBNET) if name.startswith("egress-")}
    assert not made, "they are looked at, not made"
    assert of_type(found, EIP).keys() == {"egress-1", "egress-2", "egress-3"}
    pools = of_type(found, "kubernetes:crd.projectcalico.org/v1:IPPool").values()
    assert [p.inputs["spec"]["cidr"] for p in pools] == ["10.40.250.0/28", "10.40.251.0/28"]


@pytest.mark.usefixtures("secrets")
def test_each_comes_after_what_it_needs() -> None:
    found = registered()

    def one(type_: str, name: str = "") -> Recorded:
        return next(r for n, r in of_type(found, type_).items() if n == name or not name)

    installation = one("kubernetes:operator.tigera.io/v1:Installation")
    role = one("aws:eks/podIdentityAssociation:PodIdentityAssociation", "calico-node")
    license_key, pull = one(LICENSE_KEY), one("kubernetes:core/v1:Secret", "secret")
    assert {role.urn, license_key.urn, pull.urn} <= installation.dependencies, (
        "a pod that is there before it has a role gets none later"
    )
    gateway = one(GATEWAY)
    policy = one("kubernetes:crd.projectcalico.org/v1:EgressGatewayPolicy")
    pools = of_type(found, "kubernetes:crd.projectcalico.org/v1:IPPool")
    last = [*pools.values()][-1]
    assert last.urn in gateway.dependencies
    assert gateway.urn in policy.dependencies
    namespace = one("kubernetes:core/v1:Namespace", "corral-egress")
    assert namespace.inputs["metadata"]["annotations"] == {POLICY_ANNOTATION: POLICY}
    within = {r.urn for r in found.values() if "corral:network:Calico$" in r.urn}
    assert namespace.dependencies & within or policy.urn in _reached(found, namespace), (
        "Calico drops all that a namespace sends whose policy isn't there"
    )


def _reached(found: dict[str, Recorded], start: Recorded) -> set[str]:
    """Everything that must stand before it."""
    seen: set[str] = set()
    todo = [start.urn]
    while todo:
        for urn in found[todo.pop()].dependencies:
            if urn in found and urn not in seen:
                seen.add(urn)
                todo.append(urn)
    return seen


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("preview", [True, False])
def test_the_owner_s_secrets_are_secret_wherever_they_are_registered(preview: bool) -> None:
    found = calico_alone(preview=preview)
    holders = [
        (each, key)
        for each in found.values()
        for key, value in each.inputs.items()
        if any(text in json.dumps(value, default=str) for text in IN_CLEAR)
    ]
    assert {(each.type, key) for each, key in holders} == {
        (LICENSE_KEY, "spec"),
        ("kubernetes:core/v1:Secret", "stringData"),
    }
    for each, key in holders:
        assert SECRET_SIGNATURE in each.inputs[key].values()


def test_up_without_the_licence_ends_before_anything_is_made_of_it() -> None:
    with pytest.raises(pulumi.RunError, match="pulumi config set --secret calico-pull-secret"):
        calico_alone(preview=False)


def test_a_preview_without_the_licence_says_so_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", told.append)
    found = calico_alone(preview=True)
    assert of_type(found, LICENSE_KEY)
    assert any("pulumi config set --secret calico-license" in each for each in told)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("calico-license", "kind: LicenseKey\nspec: {token: the-token-of-a-licence}"),
        ("calico-license", "a: b: the-token-of-a-licence"),
        ("calico-license", "kind: Secret\nspec: {token: x, certificate: the-token-of-a-licence}"),
        ("calico-pull-secret", "the-password-of-a-registry"),
        ("calico-pull-secret", '{"auth": "the-password-of-a-registry"}'),
    ],
)
def test_what_is_no_licence_is_refused_and_not_repeated(key: str, text: str) -> None:
    given = {"calico-license": LICENSE, "calico-pull-secret": PULL_SECRET, key: text}
    keys = {f"corral:{name}": value for name, value in given.items()}
    pulumi.runtime.set_all_config(keys, [*keys])
    try:
        with pytest.raises(Exception, match=f"{key}: .* is due") as caught:
            calico_alone(preview=False)
    finally:
        pulumi.runtime.set_all_config({}, [])
    assert not any(each in str(caught.value) for each in IN_CLEAR)


def test_where_the_owner_brings_them_neither_is_registered() -> None:
    found = registered(enterprise(license="owner"))
    assert not of_type(found, LICENSE_KEY)
    assert of_type(found, GATEWAY)


def test_without_a_way_out_nothing_of_it_is_there() -> None:
    value = enterprise(license="owner")
    del value["tenants"]
    del value["network"]["egress"]
    found = registered(value)
    assert not of_type(found, GATEWAY)
    assert not [r for r in found.values() if "EgressAddresses" in r.urn]
    [felix] = of_type(found, "kubernetes:crd.projectcalico.org/v1:FelixConfiguration").values()
    assert "egressIPSupport" not in felix.inputs["spec"]


def test_three_stacks_hold_it_once_and_only_the_first_is_in_aws() -> None:
    wanted = settings(enterprise({}, license="owner"))

    def part(layer: Layer | None) -> set[str]:
        found = record(
            lambda: Platform("corral", wanted, part=Part(of="house", layer=layer)),
            monitor=Between(HANDED_OVER),
        )
        return {
            urn
            for urn, each in found.items()
            if each.type != "corral:platform:Platform" and "pulumi:providers:" not in each.type
        }

    parts = {layer: part(layer) for layer in LAYERS}
    assert set().union(*parts.values()) == part(None)
    holding = {layer for layer, urns in parts.items() if any(GATEWAY in urn for urn in urns)}
    assert holding == {Layer.FOUNDATION}, "beside what was made for them in AWS"


@pytest.mark.parametrize("names", [True, False])
def test_rules_on_names_take_the_place_of_the_internet_but_for_a_trial(names: bool) -> None:
    value = enterprise(license="owner")
    if not names:
        value["network"]["egress"]["trial"] = {"mirror": ["198.51.100.0/24"]}
    found = registered(value)
    fences = {
        each.type: str(each.inputs["spec"])
        for each in found.values()
        if each.inputs.get("metadata", {}).get("name") == "sandbox.gateway"
    }
    in_force = fences.pop("kubernetes:projectcalico.org/v3:NetworkPolicy")
    assert ("'internet'" in in_force) is not names
    assert len(fences) == (0 if names else 1)
    assert not any("'internet'" in each for each in fences.values())
    listed = of_type(found, "kubernetes:projectcalico.org/v3:NetworkPolicy")
    assert "acme/sandbox.gateway-names-acme" in listed


def test_gateways_are_kept_apart_from_tenants() -> None:
    found = registered(enterprise(license="owner"))
    [gateway] = of_type(found, GATEWAY).values()
    assert gateway.inputs["metadata"]["namespace"] == NAMESPACE
    for name, each in of_type(found, "kubernetes:core/v1:Namespace").items():
        told = each.inputs["metadata"].get("annotations", {})
        assert (POLICY_ANNOTATION in told) is (name == "corral-egress")


def asked(to: str, value: dict[str, Any]) -> Explanation:
    network = network_of(settings(value))
    return explain(network, Question(tenant="acme", target=parse_target(to)))


def names_wall(found: Explanation) -> list[str]:
    ways: list[Way] = list(found.ways)
    return [str(wall) for way in ways for wall in way.walls if "gateway-names-acme" in str(wall)]


def test_explain_names_the_rule_on_names() -> None:
    """The same documents that are deployed are asked."""
    assert names_wall(asked("api.github.com:443", enterprise(license="owner")))
    oss = enterprise(edition="oss", license=None)
    assert not names_wall(asked("api.github.com:443", oss))
