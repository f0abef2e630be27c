"""What EC2 offers for pools, by EC2's own answers as moto recorded them."""

from __future__ import annotations

from typing import Any

from corral.preflight.aws import machines
from corral.preflight.finding import Finding, Grade
from tests.cloud.stacks import DEV
from tests.preflight.conftest import Grounds


def pools(**changed: Any) -> dict[str, Any]:
    return {**DEV["pools"], "sandboxed": {**DEV["pools"]["sandboxed"], **changed}}


def failures(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.grade is Grade.FAILURE]


def test_the_shipped_pools_are_offered_and_able(ground: Grounds) -> None:
    found = list(machines.look(ground()))
    assert {one.grade for one in found} == {Grade.OK}
    assert {one.what.split(":")[0] for one in found} == {"pool system", "pool sandboxed"}


def test_a_zone_that_does_not_offer_a_type_is_named_with_those_that_do(ground: Grounds) -> None:
    offers = {
        "InstanceTypeOfferings": [
            {"InstanceType": kind, "LocationType": "availability-zone", "Location": f"eu-west-1{z}"}
            for kind, zones in {"m7i.large": "a", "m7i.2xlarge": "b", "m6i.2xlarge": "b"}.items()
            for z in zones
        ]
    }
    recorded = {("ec2", "describe_instance_type_offerings"): offers}
    [found] = failures(list(machines.look(ground(recorded))))
    assert found.what == "pool sandboxed: eu-west-1a offers no m6i.2xlarge or m7i.2xlarge"
    assert "eu-west-1b" in found.fix


def test_one_of_several_types_missing_in_a_zone_is_a_warning(ground: Grounds) -> None:
    offers = {
        "InstanceTypeOfferings": [
            {"InstanceType": kind, "LocationType": "availability-zone", "Location": "eu-west-1a"}
            for kind in ("m7i.large", "m6i.2xlarge")
        ]
    }
    recorded = {("ec2", "describe_instance_type_offerings"): offers}
    found = list(machines.look(ground(recorded)))
    assert not failures(found)
    [warned] = [one for one in found if one.grade is Grade.WARNING]
    assert "offers no m7i.2xlarge" in warned.what


def test_a_zone_that_the_account_does_not_have_is_a_failure(ground: Grounds) -> None:
    zones = {
        "AvailabilityZones": [
            {"ZoneName": "eu-west-1a", "State": "available"},
            {"ZoneName": "eu-west-1b", "State": "unavailable"},
        ]
    }
    recorded = {("ec2", "describe_availability_zones"): zones}
    [found] = failures(list(machines.look(ground(recorded))))
    assert found.what.startswith("zone eu-west-1b")


def without(*features: str) -> Any:
    """Answers for any type: a virtual machine without these features."""

    def described(parameters: Any) -> dict[str, Any]:
        return {
            "InstanceTypes": [
                {
                    "InstanceType": name,
                    "BareMetal": False,
                    "SupportedUsageClasses": ["on-demand"],
                    "ProcessorInfo": {
                        "SupportedArchitectures": ["x86_64"],
                        "SupportedFeatures": [
                            one
                            for one in ("nested-virtualization", "amd-sev-snp")
                            if one not in features
                        ],
                    },
                }
                for name in parameters["InstanceTypes"]
            ]
        }

    return {("ec2", "describe_instance_types"): described}


def test_what_ec2_denies_a_type_is_a_failure_whatever_the_table_says(ground: Grounds) -> None:
    nested = pools(tier="microvm", machines="nested", capacity="on-demand")
    classes = {"worker": {"tier": "microvm"}}
    tenants = {"acme": {"tier": "microvm", "agents": {"worker": 1}}}
    stack = {"pools": nested, "classes": classes, "tenants": tenants}
    assert not failures(list(machines.look(ground(**stack))))
    [found] = failures(list(machines.look(ground(without("nested-virtualization"), **stack))))
    assert "m8i.4xlarge has no nested-virtualization in this region" in found.what


def test_a_type_that_is_not_sold_as_spot_is_a_failure(ground: Grounds) -> None:
    found = failures(list(machines.look(ground(without()))))
    assert found
    assert all("isn't sold as spot" in one.what for one in found)
