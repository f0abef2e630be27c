"""What names something that isn't there is found."""

from __future__ import annotations

from tests.cloud.adapters import ADAPTERS
from tests.cloud.engine.removals import REMOVALS
from tests.cloud.engine.standing import Standing, named_too_early, still_named_by

VPC = Standing(type="aws:ec2/vpc:Vpc", id="vpc-1", inputs={}, state={"arn": "arn:vpc-1"})
SUBNET = Standing(type="aws:ec2/subnet:Subnet", id="subnet-1", inputs={"vpcId": "vpc-1"}, state={})
CLUSTER = Standing(
    type="aws:eks/cluster:Cluster", id="c", inputs={"name": "c"}, state={"name": "c"}
)
ADDON = Standing(type="aws:eks/addon:Addon", id="c:dns", inputs={"clusterName": "c"}, state={})


def test_what_goes_before_the_one_that_names_it_is_found() -> None:
    assert still_named_by(VPC, {"::subnet": SUBNET, "::cluster": CLUSTER}) == [
        "aws:ec2/subnet:Subnet subnet names aws:ec2/vpc:Vpc vpc-1, which goes before it"
    ]
    assert still_named_by(SUBNET, {"::vpc": VPC}) == []


def test_a_plain_name_counts_as_much_as_an_output() -> None:
    assert still_named_by(CLUSTER, {"::dns": ADDON}) != []
    assert named_too_early({"::cluster": CLUSTER, "::dns": ADDON}) == []
    assert named_too_early({"::dns": ADDON, "::cluster": CLUSTER}) == [
        "aws:eks/addon:Addon dns names aws:eks/cluster:Cluster c, which came later"
    ]


def test_one_of_two_that_are_called_the_same_is_enough() -> None:
    role = Standing(type="aws:iam/role:Role", id="c", inputs={}, state={})
    assert named_too_early({"::role": role, "::dns": ADDON, "::cluster": CLUSTER}) == []


def test_each_type_that_moto_creates_can_be_deleted() -> None:
    left = ADAPTERS.keys() - REMOVALS.keys()
    assert {token for token in left if not token.startswith("aws:s3/")} == set(), (
        "how does the provider delete it? (Buckets are the sample program's alone.)"
    )
    assert REMOVALS.keys() <= ADAPTERS.keys()
