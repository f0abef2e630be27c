"""Rights of the controllers: what they start and end is the cluster's own, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from components.aws.scaling.permissions import drainer_policy, karpenter_policy, queue_policy
from components.aws.scaling.scaling import drainer_events, karpenter_events
from components.scaling.names import ClusterPlace
from tests.components.scaling.pools import PLACE

MOST_CHARACTERS = 10_240
"""Of all inline policies of a role together, without white space."""

READS = ("Describe", "Get", "List")

CHANGED_BY_TAG = (
    "ec2:TerminateInstances",
    "ec2:DeleteLaunchTemplate",
    "ec2:CreateTags",
    "ec2:CreateLaunchTemplate",
    "autoscaling:CompleteLifecycleAction",
    "autoscaling:RecordLifecycleActionHeartbeat",
)

each = pytest.mark.parametrize("policy", [karpenter_policy(PLACE), drainer_policy(PLACE)])


def granted(policy: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for statement in policy["Statement"]:
        for action in statement["Action"]:
            yield action, statement


@each
def test_no_action_is_a_pattern_and_no_change_is_allowed_on_everything(
    policy: dict[str, Any],
) -> None:
    for action, statement in granted(policy):
        assert "*" not in action
        if not action.partition(":")[2].startswith(READS):
            assert statement["Resource"] != "*", action


@each
def test_what_is_ended_or_tagged_carries_the_cluster_s_tag(policy: dict[str, Any]) -> None:
    for action, statement in granted(policy):
        if action in CHANGED_BY_TAG:
            equal = statement["Condition"]["StringEquals"]
            keys = [key for key in equal if key.endswith(f"/{PLACE.owned_tag}")]
            assert keys and all(equal[key] == "owned" for key in keys), action


def test_instances_are_started_with_the_cluster_s_tag_and_the_nodes_role_alone() -> None:
    policy = karpenter_policy(PLACE)
    for action, statement in granted(policy):
        started = [one for one in statement["Resource"] if one.endswith(":instance/*")]
        if action == "ec2:RunInstances" and started:
            assert f"aws:RequestTag/{PLACE.owned_tag}" in statement["Condition"]["StringEquals"]
        if action == "iam:PassRole":
            assert statement["Resource"] == "arn:aws:iam::123456789012:role/corral-test-node"
    actions = {action for action, _ in granted(policy)}
    assert not {action for action in actions if action.startswith(("iam:Create", "iam:Add"))}


def test_the_role_of_ec2_s_spot_service_is_made_only_where_spot_is_bought() -> None:
    action = "iam:CreateServiceLinkedRole"
    assert action not in {found for found, _ in granted(karpenter_policy(PLACE))}
    [made] = [one for found, one in granted(karpenter_policy(PLACE, spot=True)) if found == action]
    assert made["Condition"] == {"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}}
    assert made["Resource"].endswith("/AWSServiceRoleForEC2Spot")


@each
def test_it_fits_into_a_role(policy: dict[str, Any]) -> None:
    assert len(str(policy).replace(" ", "")) < MOST_CHARACTERS


def test_other_partitions_have_other_names() -> None:
    china = ClusterPlace(name="corral", account="123456789012", region="cn-north-1")
    text = str(karpenter_policy(china)) + str(drainer_policy(china))
    assert "arn:aws:" not in text and "arn:aws-cn:" in text
    assert china.queue_url("drainer").startswith("https://sqs.cn-north-1.amazonaws.com.cn/")


def test_a_queue_takes_the_events_of_its_rule_and_of_nobody_else() -> None:
    policy = queue_policy("arn:queue", "arn:rule", "123456789012")
    allowed, denied = policy["Statement"]
    assert allowed["Condition"]["ArnEquals"] == {"aws:SourceArn": "arn:rule"}
    assert allowed["Action"] == "sqs:SendMessage"
    assert denied["Effect"] == "Deny"
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_both_hear_of_spot_instances_that_go_and_the_drainer_of_its_own_groups() -> None:
    spot = "EC2 Spot Instance Interruption Warning"
    assert spot in karpenter_events()["detail-type"]
    groups, instances = drainer_events("corral-test")["$or"]
    assert instances["detail-type"] == [spot]
    assert groups["detail"] == {"AutoScalingGroupName": [{"prefix": "corral-test-"}]}
