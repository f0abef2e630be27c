"""Machine images: looked up where AWS publishes them. Parameters are of botocore's shape, images
stand in moto."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3  # type: ignore[import-untyped] # ships no types
import pytest

from components.versions import node_image
from corral.preflight.aws import images
from corral.preflight.finding import Finding, Grade
from corral.settings.kubernetes import DEFAULT_KUBERNETES, KUBERNETES_VERSIONS
from tests.cloud.stacks import DEV
from tests.preflight.account import RecordedAccount, refusal
from tests.preflight.conftest import Grounds

IMAGE = node_image("amd64", DEFAULT_KUBERNETES).removeprefix("resolve:ssm:")


def image(**fields: Any) -> Mapping[tuple[str, str], Any]:
    """Answers for the one image that the plan names."""
    found = {"ImageId": "ami-1", "State": "available", "Architecture": "x86_64", **fields}
    return {
        ("ssm", "get_parameter"): {"Parameter": {"Name": IMAGE, "Value": "ami-1"}},
        ("ec2", "describe_images"): {"Images": [found]},
    }


def only(found: Any) -> Finding:
    [one] = list(found)
    assert isinstance(one, Finding)
    return one


def test_an_image_that_moto_has_is_found_through_its_parameter(ground: Grounds) -> None:
    ec2 = boto3.client("ec2", region_name="eu-west-1")
    known = next(one for one in ec2.describe_images()["Images"] if one["Architecture"] == "x86_64")[
        "ImageId"
    ]
    there = ground({("ssm", "get_parameter"): {"Parameter": {"Name": IMAGE, "Value": known}}})
    found = only(images.look(there))
    assert found.grade is Grade.OK
    assert IMAGE.split("/")[-2] in found.what
    assert known in found.what


def test_a_withdrawn_image_is_a_failure_once_for_all_its_pools(ground: Grounds) -> None:
    gone = {("ssm", "get_parameter"): refusal("ssm", "get_parameter", "ParameterNotFound")}
    found = only(images.look(ground(gone)))
    assert found.grade is Grade.FAILURE
    assert "system, sandboxed" in found.what


def test_a_parameter_that_leads_to_no_image_is_a_failure(ground: Grounds) -> None:
    recorded = {**image(), ("ec2", "describe_images"): {"Images": []}}
    assert only(images.look(ground(recorded))).grade is Grade.FAILURE


def test_an_older_cluster_s_nodes_have_the_image_of_its_version(ground: Grounds) -> None:
    older = {**DEV["cluster"], "version": KUBERNETES_VERSIONS[0]}
    there = ground(image(), cluster=older)
    assert only(images.look(there)).grade is Grade.OK
    account = there.account
    assert isinstance(account, RecordedAccount)
    [name] = [asked["Name"] for _, operation, asked in account.asked if "parameter" in operation]
    assert f"-standard-{KUBERNETES_VERSIONS[0]}-" in name


@pytest.mark.parametrize(
    ("fields", "grade", "said"),
    [
        ({}, Grade.OK, "is ami-1 here"),
        ({"State": "pending"}, Grade.FAILURE, "is pending"),
        ({"Architecture": "arm64"}, Grade.FAILURE, "is arm64"),
        ({"DeprecationTime": "2026-01-01T00:00:00.000Z"}, Grade.WARNING, "deprecated since"),
        ({"DeprecationTime": "2999-01-01T00:00:00.000Z"}, Grade.OK, "is ami-1 here"),
    ],
)
def test_an_image_is_judged_by_what_it_is(
    ground: Grounds, fields: Mapping[str, Any], grade: Grade, said: str
) -> None:
    found = only(images.look(ground(image(**fields))))
    assert found.grade is grade
    assert said in found.what


@pytest.mark.parametrize(
    ("boot", "machines", "grade"),
    [
        ({"BootMode": "uefi-preferred"}, "snp", Grade.OK),
        ({"BootMode": "uefi"}, "snp", Grade.OK),
        ({"BootMode": "legacy-bios"}, "snp", Grade.FAILURE),
        ({}, "snp", Grade.FAILURE),
        ({}, "virtual", Grade.OK),
    ],
)
def test_machines_with_encrypted_memory_boot_by_uefi(
    ground: Grounds, boot: dict[str, str], machines: str, grade: Grade
) -> None:
    pools = {
        "system": {"machines": "virtual", "min-nodes": 1},
        "sandboxed": {
            **{"tier": "gvisor", "machines": machines, "min-nodes": 4},
            "processes": 2048,
        },
    }
    found = only(images.look(ground(image(**boot), pools=pools)))
    assert found.grade is grade
    if grade is Grade.FAILURE:
        assert "of sandboxed doesn't boot by UEFI" in found.what
