"""Which inputs of AWS resources replace them, and which settings change such an input."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

import pytest

from components.aws.replacing import REPLACED_BY, replaced_by_change, replacing
from corral.embedded.engine.offline import PlannedResource, plan_offline
from tests.cloud.adapters import ADAPTERS
from tests.cloud.provider_schema import has_input
from tests.cloud.shapes import SHAPES
from tests.cloud.stacks import Settings, configuration, shipped
from tests.project_copy import ROOT

PROD: Final = shipped()["prod"]

Change = Mapping[str, Any]
"""Settings by their path, `aws.network.nat`; None takes them away."""

EVERY_DAY: Final[Mapping[str, Change]] = {
    "a tag": {"aws.tags.owner": "somebody-else"},
    "protection lifted": {"aws.protect": False},
    "one NAT gateway less": {"aws.network.nat": "single"},
    "a peer": {"aws.network.peers": ["10.77.0.0/16"]},
    "logs kept for less long": {"aws.network.flow-log-days": 30, "cluster.log-days": 30},
    "a public endpoint": {"cluster.public-access": ["198.51.100.0/24"]},
    "another administrator": {
        "cluster.administrators": ["arn:aws:iam::123456789012:role/others"],
    },
    "more nodes": {"pools.sandboxed.min-nodes": 6, "pools.sandboxed.max-nodes": 60},
    "other machines": {"pools.sandboxed.instances": ["m7i.4xlarge"]},
    "larger disks": {"pools.sandboxed.volume": "900Gi"},
    "a pool": {"pools.more": {"machines": "virtual", "min-nodes": 1, "max-nodes": 2}},
    "a pool less": {"pools.isolated-burst": None, "pools.isolated.max-nodes": 6},
    "more reserved": {
        **{"pools.isolated.min-nodes": 6, "pools.isolated.max-nodes": 6},
        "pools.isolated.reserved-nodes": 6,
    },
    "a tenant less": {"tenants.acme": None},
}
"""Changes of the stack file that must not replace anything that is there."""

REPLACING: Final[Mapping[str, tuple[Change, Mapping[str, str]]]] = {
    "another address range": (
        {"aws.network.cidr": "10.99.0.0/16"},
        {"aws:ec2/vpc:Vpc": "cidrBlock", "aws:ec2/subnet:Subnet": "cidrBlock"},
    ),
    "another region": (
        {"aws.region": "us-east-1"},
        {
            "aws:ec2/subnet:Subnet": "availabilityZone",
            "aws:ec2/capacityReservation:CapacityReservation": "availabilityZone",
        },
    ),
    "another name": (
        {"cluster.name": "corral-other"},
        {
            "aws:eks/cluster:Cluster": "name",
            "aws:cloudwatch/logGroup:LogGroup": "name",
        },
    ),
    "other machines for a reservation": (
        {"pools.isolated.instances": ["m7i.metal-48xl"]},
        {"aws:ec2/capacityReservation:CapacityReservation": "instanceType"},
    ),
}
"""Changes that replace protected resources, and the input that does it: the engine refuses them
until somebody lifts the protection of each."""


def changed(settings: Settings, change: Change) -> Settings:
    settings = deepcopy(settings)
    for path, value in change.items():
        *sections, last = path.split(".")
        section = settings
        for key in sections:
            section = section.setdefault(key, {})
        if value is None:
            del section[last]
        else:
            section[last] = value
    return settings


def planned(settings: Settings) -> dict[str, PlannedResource]:
    plan = plan_offline(project=ROOT, stack="prod-foundation", config=configuration(settings))
    return {one.urn: one for one in plan if one.type.startswith("aws:")}


@pytest.fixture(scope="module")
def before() -> dict[str, PlannedResource]:
    return planned(PROD)


def replaced(
    before: Mapping[str, PlannedResource], after: Mapping[str, PlannedResource]
) -> dict[str, tuple[str, ...]]:
    """The inputs that replace them, by the URNs of resources that are in both plans."""
    found = {
        urn: replaced_by_change(one.type, one.inputs, after[urn].inputs)
        for urn, one in before.items()
        if urn in after
    }
    return {urn: paths for urn, paths in found.items() if paths}


def test_of_every_type_it_is_known_what_replaces_it() -> None:
    assert REPLACED_BY.keys() >= ADAPTERS.keys() | SHAPES.keys()


def test_nothing_is_listed_that_no_stack_registers() -> None:
    assert REPLACED_BY.keys() <= ADAPTERS.keys() | SHAPES.keys()


@pytest.mark.parametrize("token", REPLACED_BY)
def test_each_path_is_an_input_of_the_type(token: str) -> None:
    assert [path for path in REPLACED_BY[token] if not has_input(token, path)] == []


def test_an_input_that_is_not_given_replaces_nothing() -> None:
    assert replacing("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}) == ("cidrBlock",)
    assert replacing("aws:eks/cluster:Cluster", {"kubernetesNetworkConfig": {}}) == ()
    family = {"kubernetesNetworkConfig": {"ipFamily": "ipv4"}}
    assert replacing("aws:eks/cluster:Cluster", family) == ("kubernetesNetworkConfig.ipFamily",)


def test_everything_protected_says_what_would_replace_it(
    before: dict[str, PlannedResource],
) -> None:
    """But keys: none of what is given of a key does."""
    silent = {one.type for one in before.values() if one.protect} - {
        one.type for one in before.values() if replacing(one.type, one.inputs)
    }
    assert silent <= {"aws:kms/key:Key"}


@pytest.mark.parametrize("name", EVERY_DAY)
def test_what_is_changed_every_day_replaces_nothing(
    name: str, before: dict[str, PlannedResource]
) -> None:
    after = planned(changed(PROD, EVERY_DAY[name]))
    assert replaced(before, after) == {}


@pytest.mark.parametrize("name", REPLACING)
def test_what_replaces_something_protected_is_known(
    name: str, before: dict[str, PlannedResource]
) -> None:
    change, expected = REPLACING[name]
    after = planned(changed(PROD, change))
    found: dict[str, set[str]] = {}
    for urn, paths in replaced(before, after).items():
        if before[urn].protect:
            found.setdefault(before[urn].type, set()).update(paths)
    assert found == {token: {path} for token, path in expected.items()}
