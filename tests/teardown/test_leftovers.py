"""What AWS still holds, asked of moto (a double of AWS), and of answers where moto has none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3  # type: ignore[import-untyped] # ships no types
import pytest
from moto import mock_aws

from corral.aws_account.errors import Refused
from corral.aws_account.reading import AwsAccount
from corral.teardown.leftovers import Leftover, leftovers
from tests.aws_account.test_reading import credentials, settings

__all__ = ["credentials"]

REGION = "eu-west-1"


@pytest.fixture
def account(credentials: None) -> Iterator[AwsAccount]:
    assert credentials is None
    with mock_aws():
        yield AwsAccount.enter(settings(), stack="prod-foundation")


def ec2() -> Any:
    return boto3.client("ec2", region_name=REGION)


def volume(**tags: str) -> str:
    made = ec2().create_volume(
        AvailabilityZone=f"{REGION}a",
        Size=20,
        TagSpecifications=[
            {
                "ResourceType": "volume",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
        ],
    )
    return str(made["VolumeId"])


def look(account: AwsAccount) -> list[Leftover]:
    return leftovers(account, stacks=["prod-foundation", "prod-platform"], cluster="corral-prod")


def test_an_account_with_nothing_of_ours_has_no_leftovers(account: AwsAccount) -> None:
    volume(**{"corral.dev/stack": "dev", "kubernetes.io/cluster/corral-dev": "owned"})
    assert look(account) == []


def test_what_a_stack_or_a_controller_of_its_cluster_made_is_found_once(
    account: AwsAccount,
) -> None:
    ours = volume(**{"corral.dev/stack": "prod-foundation"})
    theirs = volume(
        **{"kubernetes.io/cluster/corral-prod": "owned", "KubernetesCluster": "corral-prod"}
    )
    found = {left.arn.rpartition("/")[2]: left for left in look(account)}
    assert found.keys() == {ours, theirs}
    assert found[ours].kind == "ec2 volume"
    assert found[ours].note == "available, 20 GiB"
    assert found[theirs].by == "kubernetes.io/cluster/corral-prod"


def test_a_key_that_waits_for_its_end_says_when(account: AwsAccount) -> None:
    kms = boto3.client("kms", region_name=REGION)
    key = kms.create_key(Tags=[{"TagKey": "corral.dev/stack", "TagValue": "prod-foundation"}])
    kms.schedule_key_deletion(KeyId=key["KeyMetadata"]["KeyId"], PendingWindowInDays=30)
    [left] = look(account)
    assert left.kind == "kms key"
    assert left.note.startswith("is deleted on 20")


class Answers:
    """An account that gives these answers."""

    def __init__(self, arn: str, answer: Any) -> None:
        self._arn = arn
        self._answer = answer

    def every(self, *_asked: str, **_more: Any) -> Iterator[dict[str, str]]:
        yield {"ResourceARN": self._arn}

    def ask(self, *_asked: str, **_more: Any) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def refused(code: str) -> Refused:
    return Refused(service="ec2", operation="describe", code=code, message="no")


@pytest.mark.parametrize(
    ("arn", "answer", "notes"),
    [
        ("instance/i-1", {"Reservations": []}, []),
        (
            "instance/i-1",
            {"Reservations": [{"Instances": [{"State": {"Name": "terminated"}}]}]},
            [],
        ),
        (
            "instance/i-1",
            {"Reservations": [{"Instances": [{"State": {"Name": "running"}}]}]},
            ["running"],
        ),
        ("natgateway/nat-1", {"NatGateways": [{"State": "deleted"}]}, []),
        ("volume/vol-1", refused("InvalidVolume.NotFound"), []),
        (
            "volume/vol-1",
            refused("UnauthorizedOperation"),
            ["its service wasn't asked: UnauthorizedOperation"],
        ),
        ("subnet/subnet-1", AssertionError("nobody asks for subnets"), [""]),
    ],
)
def test_aws_index_of_tags_runs_behind_and_is_not_believed_alone(
    arn: str, answer: Any, notes: list[str]
) -> None:
    """Answers of botocore's shape: moto's index holds nothing that is gone."""
    account: Any = Answers(f"arn:aws:ec2:eu-west-1:123456789012:{arn}", answer)
    assert [left.note for left in look(account)] == notes


@pytest.mark.parametrize(
    ("arn", "kind"),
    [
        (
            "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/a/1",
            "elasticloadbalancing loadbalancer",
        ),
        ("arn:aws:sqs:eu-west-1:1:corral-prod-interruptions", "sqs"),
        ("arn:aws:logs:eu-west-1:1:log-group:/aws/eks/corral-prod/cluster", "logs log-group"),
    ],
)
def test_a_thing_is_called_by_its_arn(arn: str, kind: str) -> None:
    assert Leftover(arn=arn, by="").kind == kind
