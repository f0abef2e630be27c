"""How each AWS resource is deleted: the calls that the provider makes, by type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.cloud.account import Account

Removal = Callable[[Account, str, Mapping[str, Any]], object]
"""Deletes by id and state."""


def _security_group_of_cluster(account: Account, name: str) -> None:
    """EKS deletes the group that it made for the cluster."""
    ec2 = account.client("ec2")
    own = [{"Name": "group-name", "Values": [f"eks-cluster-sg-{name}"]}]
    for group in ec2.describe_security_groups(Filters=own)["SecurityGroups"]:
        ec2.delete_security_group(GroupId=group["GroupId"])


def _cluster(account: Account, name: str, _state: Mapping[str, Any]) -> None:
    account.client("eks").delete_cluster(name=name)
    _security_group_of_cluster(account, name)


def _internet_gateway(account: Account, gateway: str, state: Mapping[str, Any]) -> None:
    ec2 = account.client("ec2")
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=state["vpcId"])
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


def _instance_profile(account: Account, name: str, state: Mapping[str, Any]) -> None:
    iam = account.client("iam")
    iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=state["role"])
    iam.delete_instance_profile(InstanceProfileName=name)


def _ingress_rule(account: Account, rule: str, state: Mapping[str, Any]) -> None:
    account.client("ec2").revoke_security_group_ingress(
        GroupId=state["securityGroupId"], SecurityGroupRuleIds=[rule]
    )


def _queue_policy(account: Account, url: str, _state: Mapping[str, Any]) -> None:
    account.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})


def _nat_gateway(account: Account, gateway: str, state: Mapping[str, Any]) -> None:
    ec2 = account.client("ec2")
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    # AWS gives the address free by this; moto doesn't.
    [address] = ec2.describe_addresses(AllocationIds=[state["allocationId"]])["Addresses"]
    ec2.disassociate_address(AssociationId=address["AssociationId"])


def _stays(_account: Account, _id: str, _state: Mapping[str, Any]) -> None:
    """What the provider only lets go of."""


def _call(service: str, operation: str, **parameters: str) -> Removal:
    """One call; each parameter is `id`, `[id]`, or an input's or output's name."""

    def remove(account: Account, found: str, state: Mapping[str, Any]) -> object:
        given: dict[str, Any] = {}
        for name, source in parameters.items():
            if source == "id":
                given[name] = found
            elif source == "[id]":
                given[name] = [found]
            else:
                given[name] = state[source]
        return getattr(account.client(service), operation)(**given)

    return remove


def _target(account: Account, _id: str, state: Mapping[str, Any]) -> None:
    account.client("events").remove_targets(Rule=state["rule"], Ids=[state["targetId"]])


def _group(account: Account, name: str, _state: Mapping[str, Any]) -> None:
    # The provider scales the group down to nothing, and waits, before it deletes it.
    scaling = account.client("autoscaling")
    scaling.update_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=0, MaxSize=0, DesiredCapacity=0
    )
    scaling.delete_auto_scaling_group(AutoScalingGroupName=name)


REMOVALS: Final[Mapping[str, Removal]] = {
    "aws:autoscaling/group:Group": _group,
    "aws:autoscaling/lifecycleHook:LifecycleHook": _call(
        "autoscaling",
        "delete_lifecycle_hook",
        AutoScalingGroupName="autoscalingGroupName",
        LifecycleHookName="id",
    ),
    "aws:cloudwatch/eventRule:EventRule": _call("events", "delete_rule", Name="id"),
    "aws:cloudwatch/eventTarget:EventTarget": _target,
    "aws:cloudwatch/logGroup:LogGroup": _call("logs", "delete_log_group", logGroupName="id"),
    "aws:cloudwatch/logStream:LogStream": _call(
        "logs", "delete_log_stream", logGroupName="logGroupName", logStreamName="id"
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _stays,
    "aws:ec2/eip:Eip": _call("ec2", "release_address", AllocationId="id"),
    "aws:ec2/flowLog:FlowLog": _call("ec2", "delete_flow_logs", FlowLogIds="[id]"),
    "aws:ec2/internetGateway:InternetGateway": _internet_gateway,
    "aws:ec2/launchTemplate:LaunchTemplate": _call(
        "ec2", "delete_launch_template", LaunchTemplateId="id"
    ),
    "aws:ec2/natGateway:NatGateway": _nat_gateway,
    "aws:ec2/route:Route": _call(
        "ec2",
        "delete_route",
        RouteTableId="routeTableId",
        DestinationCidrBlock="destinationCidrBlock",
    ),
    "aws:ec2/routeTable:RouteTable": _call("ec2", "delete_route_table", RouteTableId="id"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _call(
        "ec2", "disassociate_route_table", AssociationId="id"
    ),
    "aws:ec2/securityGroup:SecurityGroup": _call("ec2", "delete_security_group", GroupId="id"),
    "aws:ec2/subnet:Subnet": _call("ec2", "delete_subnet", SubnetId="id"),
    "aws:ec2/vpc:Vpc": _call("ec2", "delete_vpc", VpcId="id"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _call("ec2", "delete_vpc_endpoints", VpcEndpointIds="[id]"),
    "aws:eks/cluster:Cluster": _cluster,
    "aws:iam/instanceProfile:InstanceProfile": _instance_profile,
    "aws:iam/role:Role": _call("iam", "delete_role", RoleName="id"),
    "aws:iam/rolePolicy:RolePolicy": _call(
        "iam", "delete_role_policy", RoleName="role", PolicyName="name"
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _call(
        "iam", "detach_role_policy", RoleName="role", PolicyArn="policyArn"
    ),
    "aws:kms/alias:Alias": _call("kms", "delete_alias", AliasName="id"),
    "aws:kms/key:Key": _call("kms", "schedule_key_deletion", KeyId="id"),
    "aws:sqs/queue:Queue": _call("sqs", "delete_queue", QueueUrl="id"),
    "aws:sqs/queuePolicy:QueuePolicy": _queue_policy,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _ingress_rule,
}
"""Of types that moto creates. What only has a shape doesn't stand anywhere."""
