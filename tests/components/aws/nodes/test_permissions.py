"""Rights of nodes: enough to join one cluster and to pull, and nothing that changes anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.aws.nodes.permissions import node_policy

CHANGES = ("Create", "Delete", "Put", "Update", "Modify", "Attach", "Detach", "Run", "Terminate")
REGIONS = {"eu-west-1": "aws", "us-gov-west-1": "aws-us-gov", "cn-north-1": "aws-cn"}


def statements(region: str = "eu-west-1", cluster: str = "corral-dev") -> list[dict[str, Any]]:
    policy = node_policy(account="123456789012", region=region, cluster=cluster)
    assert json.loads(json.dumps(policy)) == policy
    assert policy["Version"] == "2012-10-17"
    return list(policy["Statement"])


def test_no_action_is_a_pattern_and_none_changes_anything() -> None:
    for statement in statements():
        assert statement["Effect"] == "Allow"
        for action in statement["Action"]:
            assert "*" not in action
            assert not action.partition(":")[2].startswith(CHANGES)


def test_roles_of_pods_are_taken_in_the_nodes_own_cluster_only() -> None:
    (own,) = (s for s in statements() if "eks-auth:AssumeRoleForPodIdentity" in s["Action"])
    assert own["Resource"] == "arn:aws:eks:eu-west-1:123456789012:cluster/corral-dev"


def test_what_names_no_resource_is_held_to_the_region() -> None:
    for statement in statements():
        if statement["Resource"] == "*":
            assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}


@pytest.mark.parametrize("region", REGIONS)
def test_arns_are_of_the_regions_own_part_of_aws(region: str) -> None:
    named = [s["Resource"] for s in statements(region) if s["Resource"] != "*"]
    assert named
    assert all(arn.startswith(f"arn:{REGIONS[region]}:") for arn in named)


@given(st.from_regex(r"[a-z][a-z0-9-]{0,38}", fullmatch=True))
def test_no_name_of_a_cluster_widens_it(cluster: str) -> None:
    own = next(s for s in statements(cluster=cluster) if "eks:DescribeCluster" in s["Action"])
    assert own["Resource"].endswith(f":cluster/{cluster}")
    assert "*" not in own["Resource"]
