"""Calico Enterprise's fixed addresses and names, as documents; that the open-source edition gets
none of it; what settings refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from components.documents import Document
from components.network.calico_documents import felix_document
from components.network.enterprise.addresses import (
    NAMESPACE,
    POLICY,
    address_documents,
    gateway_document,
    namespace_annotations,
    policy_document,
    pool_documents,
    pool_name,
    reservation_document,
)
from components.network.enterprise.names import named_fence, names_policies
from components.network.packages.registries import hosts
from components.network.policies.documents import shared_policies, tenant_policies
from components.network.policies.fences import Beyond, gateway_fence
from components.network.policies.places import EGRESS_NAMESPACE
from components.network.policies.refused import ClusterRanges
from components.network.policies.tier import LAST_ORDER, REFUSED_ORDER
from corral.policy.steering import steers
from corral.settings.egress import Egress
from corral.settings.loading import load_stack_file
from corral.settings.network import Calico
from corral.settings.packages import Packages
from tests.components.examples import registered
from tests.network.enterprise.examples import EGRESS, PLACE
from tests.project_copy import ROOT

RANGES = ClusterRanges(networks={"nodes": ["10.40.0.0/16"]})
BEYOND = Beyond(dns=["10.40.0.2"])
RULE = "corral.dev/rule"


def names(document: Document) -> list[str]:
    """Names of a policy's rules, going out."""
    return [each["metadata"]["annotations"][RULE] for each in document["spec"]["egress"]]


def test_each_gateway_has_an_elastic_ip_and_zones_share_them() -> None:
    spec = gateway_document(PLACE)["spec"]
    assert spec["replicas"] == PLACE.replicas < len(PLACE.elastic_ips)
    assert spec["aws"] == {"nativeIP": "Enabled", "elasticIPs": list(PLACE.elastic_ips)}
    pod = spec["template"]["spec"]
    [spread] = pod["topologySpreadConstraints"]
    assert spread["whenUnsatisfiable"] == "DoNotSchedule"
    assert spread["labelSelector"]["matchLabels"] == spec["template"]["metadata"]["labels"]


def test_a_gateway_that_reaches_nothing_is_found_out() -> None:
    detection = gateway_document(PLACE)["spec"]["egressGatewayFailureDetection"]
    probe = detection["httpProbe"]
    assert probe["timeoutSeconds"] > probe["intervalSeconds"], "Calico asks for it"
    assert "httpProbe" not in str(gateway_document(replace(PLACE, probes=())))


def test_pools_are_for_who_names_them_and_aws_own_addresses_are_left_out() -> None:
    made = {each["metadata"]["name"] for each in pool_documents(PLACE.subnets)}
    asked = {each["name"] for each in gateway_document(PLACE)["spec"]["ipPools"]}
    assert made == asked == {pool_name(zone) for zone in PLACE.subnets}
    for pool in pool_documents(PLACE.subnets):
        spec = pool["spec"]
        assert (spec["blockSize"], spec["nodeSelector"]) == (32, "!all()")
        assert spec["disableBGPExport"]
        assert spec["awsSubnetID"].startswith("subnet-")
    reserved = [
        IPv4Network(each) for each in reservation_document(PLACE.subnets)["spec"]["reservedCIDRs"]
    ]
    first = IPv4Network("10.40.250.0/28")
    taken = [address for address in first if any(address in each for each in reserved)]
    assert taken == [first[0], first[1], first[2], first[3], first[15]]


def test_what_goes_to_private_networks_goes_by_no_gateway() -> None:
    rules = policy_document()["spec"]["rules"]
    cidrs = [each["destination"]["cidr"] for each in rules]
    assert len(set(cidrs)) == len(cidrs), "Calico refuses two rules of one destination"
    local = [IPv4Network(each["destination"]["cidr"]) for each in rules if "gateway" not in each]
    for address in ("10.40.0.2", "192.168.3.4", "172.20.0.1", "100.64.0.1"):
        assert any(IPv4Address(address) in network for network in local), address
    [internet] = [each for each in rules if "gateway" in each]
    assert NAMESPACE in internet["gateway"]["namespaceSelector"]


def test_the_policy_is_there_before_a_namespace_is_told_of_it() -> None:
    """Calico drops everything that a namespace sends whose policy isn't there."""
    assert address_documents(PLACE)[-1]["metadata"]["name"] == POLICY
    [key], [value] = namespace_annotations().keys(), namespace_annotations().values()
    assert value == POLICY
    assert steers(key), "no tenant may write it"


def test_a_namespace_chooses_and_no_pod() -> None:
    calico = Calico.model_validate({"edition": "enterprise"})
    told = felix_document(calico, "v1", gateways=True, dns=["10.40.0.2"])["spec"]
    assert told["egressIPSupport"] == "EnabledPerNamespace"
    assert told["dnsTrustedServers"] == ["10.40.0.2"], "those that gateways ask, and no sandbox"


def test_names_take_the_place_of_the_internet() -> None:
    before, after = names(gateway_fence(RANGES, BEYOND)), names(named_fence(RANGES, BEYOND))
    assert "internet" in before
    assert [each for each in before if each not in after] == ["internet", "not-tcp", "not-tcp"]
    [policy] = names_policies("acme", EGRESS)
    assert REFUSED_ORDER < policy["spec"]["order"] < LAST_ORDER, (
        "after what is refused by address, before the end"
    )
    rules = {
        tuple(each["destination"]["domains"]): each["destination"]["ports"]
        for each in policy["spec"]["egress"]
    }
    assert rules == {("*.pypi.org", "api.github.com"): [443], ("api.openai.com",): [443, 8443]}
    last = shared_policies(RANGES, BEYOND)[-1]
    assert last["spec"]["order"] == LAST_ORDER
    assert last["metadata"]["namespace"] == EGRESS_NAMESPACE
    assert {each["action"] for each in last["spec"]["egress"]} == {"Log", "Deny"}


def test_what_a_package_mirror_reads_is_let_through_for_it() -> None:
    """Its door's list stands behind the same wall as its tenant's."""
    packages = Packages.model_validate({"registries": ["pypi", "npm"]})

    def let_through(allow: Sequence[Mapping[str, object]]) -> dict[str, list[int]]:
        egress = Egress.model_validate({"number": 1, "allow": allow, "packages": packages})
        [policy] = names_policies("acme", egress)
        return {
            host: each["destination"]["ports"]
            for each in policy["spec"]["egress"]
            for host in each["destination"]["domains"]
        }

    mirrors = {host: [443] for host in hosts(packages.registries)}
    assert {"pypi.org", "files.pythonhosted.org", "registry.npmjs.org"} == mirrors.keys()
    assert let_through([]) == mirrors, "without a list too"
    both = let_through([{"host": "pypi.org", "ports": [8443]}, {"host": "x.example.org"}])
    assert both == mirrors | {"pypi.org": [443, 8443], "x.example.org": [443]}


def test_names_are_on_trial_as_long_as_anything_is() -> None:
    """What is judged then is what would be in force: more networks refused, and names."""
    made = shared_policies(RANGES, BEYOND, trial={"mirror": ["198.51.100.0/24"]}, names=True)
    fences = {each["kind"]: each for each in made if each["metadata"]["name"] == "sandbox.gateway"}
    assert fences["NetworkPolicy"] == gateway_fence(RANGES, BEYOND), "as without names"
    tried = names(fences["StagedNetworkPolicy"])
    assert "mirror" in tried and "internet" not in tried
    in_force = shared_policies(RANGES, BEYOND, names=True)
    assert not [each for each in in_force if each["kind"].startswith("Staged")]
    assert named_fence(RANGES, BEYOND) in in_force


def test_many_names_are_several_rules_and_none_is_no_policy() -> None:
    hosts = [{"host": f"h{number}.example.org"} for number in range(300)]
    [policy] = names_policies("acme", Egress.model_validate({"number": 1, "allow": hosts}))
    counts = [len(each["destination"]["domains"]) for each in policy["spec"]["egress"]]
    assert counts == [256, 44]
    assert names_policies("acme", Egress.model_validate({"number": 1})) == []


def test_the_open_source_edition_gets_none_of_it() -> None:
    made = str([*shared_policies(RANGES, BEYOND), *tenant_policies("acme", EGRESS)])
    assert "domains" not in made
    assert "dnsTrustedServers" not in felix_document(Calico(), "v3", dns=["10.40.0.2"])["spec"]
    assert "egressIPSupport" not in felix_document(Calico(), "v3")["spec"]


@pytest.mark.parametrize("stack", ["local", "dev"])
def test_no_stack_that_ships_registers_what_the_open_source_edition_hasnt(stack: str) -> None:
    settings = load_stack_file(ROOT / "stacks" / f"Pulumi.{stack}.yaml")
    assert settings.network.calico is None or settings.network.calico.edition == "oss"
    for resource in registered(settings).values():
        assert not resource.type.endswith((":EgressGateway", ":EgressGatewayPolicy"))
        if "projectcalico" in resource.type:
            text = str(resource.inputs)
            assert "domains" not in text
            assert "awsSubnetID" not in text
            assert "egressIPSupport" not in text
