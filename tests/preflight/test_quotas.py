"""Quotas against what a stack will have and what others have. moto knows quotas of VPCs alone; the
others' values are of botocore's shape. What others have stands in moto."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3  # type: ignore[import-untyped] # ships no types
import pytest

from components.tags import STACK_TAG
from corral.preflight.aws import quotas
from corral.preflight.finding import Finding, Grade
from tests.cloud.stacks import DEV
from tests.preflight.account import Answers, refusal
from tests.preflight.conftest import Grounds

AMPLE = 100_000.0


def limits(**values: float) -> Answers:
    """Quotas by code, with underscores for hyphens; the rest is ample."""

    def answer(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        value = values.get(parameters["QuotaCode"].replace("-", "_"), AMPLE)
        return {"Quota": {"QuotaCode": parameters["QuotaCode"], "Value": value}}

    return {
        ("service-quotas", "get_service_quota"): answer,
        ("ec2", "describe_capacity_reservations"): {"CapacityReservations": []},
    }


def told(found: list[Finding], what: str) -> Finding:
    [one] = [one for one in found if one.what.startswith(what)]
    return one


@pytest.fixture
def ec2(moto: None) -> Any:
    assert moto is None
    return boto3.client("ec2", region_name="eu-west-1")


def test_with_ample_quotas_all_is_well_and_each_says_its_figures(ground: Grounds) -> None:
    found = list(quotas.look(ground(limits())))
    assert {one.grade for one in found} == {Grade.OK}
    assert told(found, "Elastic IP").what == (
        "Elastic IP addresses: 2 wanted, 0 of 100000 in use by others"
    )
    assert told(found, "VPCs").what.endswith("1 of 100000 in use by others"), "the default VPC"


def test_what_nobody_will_have_is_not_asked_for(ground: Grounds) -> None:
    pools = {**DEV["pools"], "sandboxed": {**DEV["pools"]["sandboxed"], "capacity": "on-demand"}}
    found = list(quotas.look(ground(limits(), pools=pools)))
    assert not [one for one in found if "spot" in one.what]


def test_vcpus_are_those_of_all_nodes_of_the_largest_type(ground: Grounds) -> None:
    found = list(quotas.look(ground(limits(L_1216C47A=5.0, L_34B43A08=16.0))))
    on_demand = told(found, "vCPUs of Standard instances on demand")
    assert "2 to 6 wanted" in on_demand.what, "system: 1 to 3 nodes of 2 vCPUs"
    assert on_demand.grade is Grade.WARNING, "it starts, and can't grow"
    spot = told(found, "vCPUs of Standard instances as spot")
    assert "8 to 32 wanted" in spot.what
    assert "--quota-code L-34B43A08 --desired-value 32" in spot.fix


def test_too_little_for_the_first_nodes_is_a_failure(ground: Grounds) -> None:
    found = list(quotas.look(ground(limits(L_1216C47A=1.0))))
    assert told(found, "vCPUs of Standard instances on demand").grade is Grade.FAILURE


def test_storage_is_that_of_root_and_data_volumes_in_whole_tib(ground: Grounds) -> None:
    found = told(list(quotas.look(ground(limits()))), "TiB of gp3")
    assert "1 to 2 wanted" in found.what, "2 and 7 nodes of 200 GiB"
    roomy = {**DEV["pools"]["sandboxed"], "volume": "2Ti"}
    pools = {**DEV["pools"], "sandboxed": roomy}
    found = told(list(quotas.look(ground(limits(L_7A658B76=5.0), pools=pools))), "TiB of gp3")
    assert "3 to 9 wanted, 0 of 5" in found.what
    assert found.grade is Grade.WARNING


def test_reserved_nodes_count_from_the_start(ground: Grounds) -> None:
    system = {
        **DEV["pools"]["system"],
        "capacity": "reserved",
        "reserved-nodes": 3,
        "instances": ["m7i.large"],
    }
    steady = {"machines": "virtual", "min-nodes": 1, "max-nodes": 1}
    pools = {**DEV["pools"], "system": system, "steady": steady}
    found = list(quotas.look(ground(limits(), pools=pools)))
    assert "14 wanted" in told(found, "vCPUs of Standard instances on demand").what


def test_what_others_run_and_reserve_counts_and_what_the_stack_has_does_not(
    ground: Grounds, ec2: Any
) -> None:
    image = ec2.describe_images()["Images"][0]["ImageId"]
    for tags in ([], [{"Key": STACK_TAG, "Value": "dev"}], [{"Key": STACK_TAG, "Value": "prod"}]):
        marks = [{"ResourceType": "instance", "Tags": tags}] if tags else []
        ec2.run_instances(
            ImageId=image,
            MinCount=1,
            MaxCount=1,
            InstanceType="m7i.large",
            CpuOptions={"CoreCount": 1, "ThreadsPerCore": 2},
            TagSpecifications=marks,
        )
    held = {
        "CapacityReservations": [
            {"InstanceType": "m7i.2xlarge", "AvailableInstanceCount": 2, "State": "active"}
        ]
    }
    recorded = {**limits(), ("ec2", "describe_capacity_reservations"): held}
    found = told(list(quotas.look(ground(recorded))), "vCPUs of Standard instances on demand")
    each = {
        entry["InstanceId"]: entry.get("CpuOptions")
        for reservation in ec2.describe_instances()["Reservations"]
        for entry in reservation["Instances"]
    }
    assert len(each) == 3
    per_instance = [
        (options or {}).get("CoreCount", 1) * (options or {}).get("ThreadsPerCore", 1)
        for options in each.values()
    ]
    assert f"{2 * per_instance[0] + 2 * 8} of" in found.what


def test_addresses_of_others_leave_too_few(ground: Grounds, ec2: Any) -> None:
    for _ in range(4):
        ec2.allocate_address(Domain="vpc")
    found = told(list(quotas.look(ground(limits(L_0263D0A3=5.0)))), "Elastic IP")
    assert found.grade is Grade.FAILURE
    assert "2 wanted, 4 of 5" in found.what
    assert "--service-code ec2 --quota-code L-0263D0A3 --desired-value 6" in found.fix


def test_nat_gateways_are_counted_by_zone(ground: Grounds, ec2: Any) -> None:
    subnets = {
        subnet["AvailabilityZone"]: subnet["SubnetId"]
        for subnet in ec2.describe_subnets()["Subnets"]
    }
    for zone in ("eu-west-1a", "eu-west-1a", "eu-west-1b", "eu-west-1c", "eu-west-1c"):
        ec2.create_nat_gateway(SubnetId=subnets[zone])
    found = told(list(quotas.look(ground(limits(L_FE5A380F=2.0)))), "NAT gateways")
    assert found.grade is Grade.FAILURE
    assert "1 wanted, 2 of 2" in found.what


def test_a_quota_that_was_never_raised_has_the_default_of_aws(ground: Grounds) -> None:
    recorded = {
        **limits(),
        ("service-quotas", "get_service_quota"): refusal(
            "service-quotas", "get_service_quota", "NoSuchResourceException"
        ),
        ("service-quotas", "get_aws_default_service_quota"): {"Quota": {"Value": 5.0}},
    }
    assert "of 5 in use" in told(list(quotas.look(ground(recorded))), "EKS clusters").what


def test_motos_own_quotas_of_vpcs_are_read(ground: Grounds) -> None:
    """The one service whose quotas moto has."""
    [vpcs] = [quota for quota in quotas.QUOTAS if quota.what == "VPCs"]
    assert quotas._limit(vpcs, ground()) == 5
