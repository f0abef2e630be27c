"""Calico Enterprise in a stack file: what is refused, where, and with which way out."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from corral.settings.loading import load_stack_file, load_value
from corral.settings.network import egress_gateways_of
from corral.settings.problems import SettingsError
from corral.settings.stack import Settings
from tests.network.enterprise.examples import EXISTING, OWN_SUBNETS, enterprise
from tests.settings.good import good


def settings(value: dict[str, Any]) -> Settings:
    return load_value(value, "stacks/Pulumi.test.yaml")


def without_pool() -> dict[str, Any]:
    value = enterprise()
    del value["pools"]["way-out"]
    return value


def without_egress(gateways: dict[str, Any] | None) -> dict[str, Any]:
    value = enterprise(gateways)
    del value["tenants"]
    del value["network"]["egress"]
    return value


def elsewhere() -> dict[str, Any]:
    """On a cluster that is there already."""
    calico = {"edition": "enterprise", "license": "owner", "egress-gateways": {}}
    return {**good(), "network": {"calico": calico}}


def small_nodes() -> dict[str, Any]:
    value = enterprise({"replicas": 8})
    value["pools"]["way-out"]["instances"] = ["m7i.large"]
    return value


def unlicensed() -> dict[str, Any]:
    value = enterprise()
    del value["network"]["calico"]["license"]
    return value


def subnets(**changes: Any) -> dict[str, Any]:
    own = deepcopy(OWN_SUBNETS)
    for zone, change in changes.items():
        own[zone] = {**own.get(zone, {}), **change}
    return enterprise({"subnets": own}, network=EXISTING)


GATEWAYS = "network.calico.egress-gateways"

# stack, key that is told, part of the rule, part of the fix
REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no licence": (
        unlicensed(),
        "network.calico.license",
        "required with edition enterprise: without its pull secret no node gets a network",
        "pulumi config set --secret calico-license",
    ),
    "a licence of the open-source edition": (
        enterprise(edition="oss"),
        "network.calico.license",
        "Calico Open Source has no licence",
        "set edition: enterprise",
    ),
    "gateways of the open-source edition": (
        enterprise({}, edition="oss", license=None),
        GATEWAYS,
        "Calico Open Source has no egress gateways",
        "set edition: enterprise, with its licence",
    ),
    "gateways without addresses of Calico's": (
        enterprise({}, mode="policy-only"),
        GATEWAYS,
        "need its own addresses",
        "set mode: overlay",
    ),
    "gateways outside of a VPC": (
        elsewhere(),
        GATEWAYS,
        "their addresses are of a VPC",
        "set cluster.kind: eks",
    ),
    "gateways that nothing leaves by": (
        without_egress({}),
        GATEWAYS,
        "nothing would leave by them",
        "network.egress: {}",
    ),
    "no nodes for gateways": (
        without_pool(),
        "pools",
        "a pool of purpose egress-gateway with edition enterprise",
        "purpose: egress-gateway, machines: virtual",
    ),
    "fewer gateways than zones": (
        enterprise(
            {"replicas": 2},
            network={"kind": "new", "cidr": "10.40.0.0/16", "zones": ["a", "b", "c"]},
        ),
        f"{GATEWAYS}.replicas",
        "at least one in each of the zones a, b, c",
        "raise it to 3",
    ),
    "fewer addresses than gateways": (
        enterprise({"replicas": 4, "elastic-ips": 3}),
        f"{GATEWAYS}.elastic-ips",
        "at least one for each of the 4 gateways",
        "raise it to 5",
    ),
    "more gateways than interfaces": (
        small_nodes(),
        f"{GATEWAYS}.replicas",
        "at most 4: a node for gateways has 2 network interfaces besides its own",
        "lower it to 4",
    ),
    "subnets that are ours to make": (
        enterprise({"subnets": OWN_SUBNETS}),
        f"{GATEWAYS}.subnets",
        "they are made in it",
        "remove it",
    ),
    "somebody's VPC without room": (
        enterprise(network=EXISTING),
        f"{GATEWAYS}.subnets.a",
        "this network isn't ours to make any in",
        "have one made with a default route to an internet gateway",
    ),
    "a zone without a subnet": (
        enterprise({"subnets": {"a": OWN_SUBNETS["a"]}}, network=EXISTING),
        f"{GATEWAYS}.subnets.b",
        "a subnet for gateways in each of their zones",
        "write b: { subnet:",
    ),
    "a subnet where no gateway is": (
        subnets(c={"subnet": "subnet-0123456789abcdefc", "network": "10.40.252.0/28"}),
        f"{GATEWAYS}.subnets.c",
        "no node for gateways is in that zone",
        "remove it",
    ),
    "nodes' own subnet": (
        subnets(a={"subnet": EXISTING["private-subnets"]["a"]}),
        f"{GATEWAYS}.subnets.a",
        "two would get the same",
        "name another one",
    ),
    "a subnet that is too small": (
        subnets(a={"network": "10.40.250.0/30"}),
        f"{GATEWAYS}.subnets.a",
        "room for 1 gateways: it has 0 addresses",
        "name a larger one",
    ),
    "subnets that overlap": (
        subnets(b={"network": OWN_SUBNETS["a"]["network"]}),
        f"{GATEWAYS}.subnets.b",
        "it overlaps 10.40.250.0/28 (zone a)",
        "write that subnet's own network",
    ),
    "a subnet among pods": (
        subnets(a={"network": "192.168.3.0/28"}),
        f"{GATEWAYS}.subnets.a",
        "it overlaps 192.168.0.0/16 (pods)",
        "write that subnet's own network",
    ),
    "a probe of a file": (
        enterprise({"probes": ["file:///etc/passwd"]}),
        f"{GATEWAYS}.probes[0]",
        "an address to ask",
        "",
    ),
    "a subnet by its name": (
        subnets(a={"subnet": "egress-a"}),
        f"{GATEWAYS}.subnets.a.subnet",
        "the id of a subnet",
        "",
    ),
    "a single gateway": (enterprise({"replicas": 1}), f"{GATEWAYS}.replicas", "2", ""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_where_it_stands_with_reason_and_way_out(case: str) -> None:
    value, key, rule, fix = REFUSED[case]
    with pytest.raises(SettingsError) as caught:
        settings(value)
    told = {each.where.removeprefix("corral:settings."): each for each in caught.value.problems}
    assert key in told, [*told]
    assert rule in told[key].rule
    assert fix in told[key].fix


AGREES: dict[str, tuple[dict[str, Any], tuple[int, int] | None]] = {
    "as it is": (enterprise(), (2, 3)),
    "four of them": (enterprise({"replicas": 4}), (4, 5)),
    "no address to spare": (enterprise({"elastic-ips": 2}), (2, 2)),
    "somebody's VPC with subnets for them": (
        enterprise({"subnets": OWN_SUBNETS}, network=EXISTING),
        (2, 3),
    ),
    "nothing that leaves": (without_egress(None), None),
    "the open-source edition": (enterprise(edition="oss", license=None), None),
}


@pytest.mark.parametrize("case", AGREES)
def test_what_agrees_is_taken_and_gateways_follow_from_it(case: str) -> None:
    value, counts = AGREES[case]
    found = settings(value)
    gateways = egress_gateways_of(found.network, found.cluster, found.tenants)
    told = (gateways.count(2), gateways.addresses(2)) if gateways else None
    assert told == counts


def written(tmp_path: Path, **config: Any) -> Path:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(yaml.safe_dump({"config": {"corral:settings": enterprise(), **config}}))
    return file


def test_the_owner_s_secrets_stand_beside_the_settings_encrypted(tmp_path: Path) -> None:
    secret = {"secure": "AAABAFt0b2tlbl0="}
    names = ("corral:calico-license", "corral:calico-pull-secret")
    file = written(tmp_path, **dict.fromkeys(names, secret))
    assert load_stack_file(file).network.calico


@pytest.mark.parametrize("value", ["the-secret-itself", {"secure": "x", "more": "the-secret"}])
def test_one_in_clear_is_refused_and_not_repeated(tmp_path: Path, value: Any) -> None:
    with pytest.raises(SettingsError, match="--secret calico-license") as caught:
        load_stack_file(written(tmp_path, **{"corral:calico-license": value}))
    assert "the-secret" not in str(caught.value)
