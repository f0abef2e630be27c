"""What calico-node may do in EC2: put interfaces and addresses where gateways' are, and no more."""

from __future__ import annotations

import json

from components.aws.network.addresses import subnet_differences
from components.aws.network.gateway_permissions import (
    ON_INTERFACES,
    SEEN,
    address_tags,
    calico_node_policy,
)
from components.aws.policies import Document
from components.scaling.names import ClusterPlace

PLACE = ClusterPlace(name="agents", account="123456789012", region="eu-west-1")
POLICY = calico_node_policy(
    PLACE, subnets=["subnet-a", "subnet-b"], security_group="sg-1", pools=["way-out"]
)
ARN = "arn:aws:ec2:eu-west-1:123456789012"

DOCUMENTED = {
    *("AssignPrivateIpAddresses", "AssociateAddress", "AttachNetworkInterface"),
    *("CreateNetworkInterface", "CreateTags", "DeleteNetworkInterface", "DescribeAddresses"),
    *("DescribeInstanceTypes", "DescribeInstances", "DescribeNetworkInterfaces"),
    *("DescribeSubnets", "DescribeTags", "DetachNetworkInterface", "DisassociateAddress"),
    *("ModifyNetworkInterfaceAttribute", "UnassignPrivateIpAddresses"),
}
"""https://docs.tigera.io/calico-enterprise/latest/networking/egress/egress-gateway-aws (3.23)."""


def statements(action: str) -> list[Document]:
    return [each for each in POLICY["Statement"] if f"ec2:{action}" in each["Action"]]


def resources(statement: Document) -> list[str]:
    found = statement["Resource"]
    return [found] if isinstance(found, str) else list(found)


def test_it_is_what_calico_asks_for_and_nothing_more() -> None:
    granted = {action for each in POLICY["Statement"] for action in each["Action"]}
    assert granted == {f"ec2:{action}" for action in DOCUMENTED}
    assert "*" not in "".join(granted)


def test_whatever_changes_something_names_a_resource_and_where() -> None:
    for each in POLICY["Statement"]:
        if set(each["Action"]) <= set(SEEN):
            assert each["Condition"] == {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
            continue
        for resource in resources(each):
            assert resource.startswith(f"{ARN}:"), resource
            assert "Condition" in each or not resource.endswith("*"), resource


def test_interfaces_are_made_in_their_subnets_and_with_the_nodes_own_group() -> None:
    own = [f"{ARN}:subnet/subnet-a", f"{ARN}:subnet/subnet-b"]
    made = {name for each in statements("CreateNetworkInterface") for name in resources(each)}
    assert made == {*own, f"{ARN}:security-group/sg-1", f"{ARN}:network-interface/*"}
    for action in ON_INTERFACES:
        for each in statements(action.removeprefix("ec2:")):
            if resources(each) == [f"{ARN}:network-interface/*"]:
                assert each["Condition"] == {"ArnEquals": {"ec2:Subnet": own}}, action


def test_tags_are_set_with_the_interface_alone() -> None:
    [each] = statements("CreateTags")
    assert each["Condition"] == {"StringEquals": {"ec2:CreateAction": "CreateNetworkInterface"}}, (
        "else a node could give itself a tag that other rights go by"
    )


def test_only_nodes_for_gateways_get_interfaces_and_only_its_own_addresses_move() -> None:
    of_instances = [
        each for each in POLICY["Statement"] if resources(each) == [f"{ARN}:instance/*"]
    ]
    assert [each["Condition"] for each in of_instances] == [
        {"StringEquals": {"aws:ResourceTag/Name": ["agents-way-out"]}}
    ]
    [addresses] = [
        each for each in POLICY["Statement"] if resources(each) == [f"{ARN}:elastic-ip/*"]
    ]
    assert addresses["Condition"]["StringEquals"] == {
        f"aws:ResourceTag/{key}": value for key, value in address_tags("agents").items()
    }


def test_it_fits_into_an_inline_policy() -> None:
    many = calico_node_policy(
        PLACE, subnets=["subnet-0123456789abcdef0"] * 3, security_group="sg-0", pools=["a" * 40]
    )
    assert len(json.dumps(many)) < 10_240, "of a role, all inline policies together"


def test_somebody_s_subnet_is_what_the_file_says() -> None:
    seen = ("vpc-1", "eu-west-1a", "10.0.0.0/28")
    assert subnet_differences(seen, seen) == []
    told = subnet_differences(("vpc-2", "eu-west-1b", "10.0.0.0/24"), seen)
    assert told == [
        "is in vpc-2, not in vpc-1",
        "is in zone eu-west-1b, not in eu-west-1a",
        "has 10.0.0.0/24, not 10.0.0.0/28",
    ]
