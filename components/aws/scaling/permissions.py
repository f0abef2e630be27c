"""What the controllers that start and drain nodes may do in AWS.

Karpenter's is its own template's, without instance profiles (ours is there) and zonal shifts.
https://github.com/aws/karpenter-provider-aws/blob/main/website/content/en/preview/getting-started/getting-started-with-karpenter/cloudformation.yaml
"""

from __future__ import annotations

from components.aws.policies import Document, allow, document
from components.scaling.names import KARPENTER, ClusterPlace

_STARTED = ("fleet", "instance", "volume", "network-interface", "launch-template")
_USED = ("security-group", "subnet", "capacity-reservation", "placement-group")
_NODE_POOL = "karpenter.sh/nodepool"
_OF_CLUSTER = "eks:eks-cluster-name"


def karpenter_policy(place: ClusterPlace, *, spot: bool = False) -> Document:
    """Start instances that carry the cluster's tags, end those that do, and nothing else; give them
    the nodes' own role and no other. With `spot`, let EC2 make the role that its spot service has
    in each account, and that a new account doesn't have yet."""
    ec2 = f"arn:{place.partition}:ec2:{place.region}"
    own = f"{ec2}:{place.account}"
    iam = f"arn:{place.partition}:iam::{place.account}"
    started = [f"{own}:{kind}/*" for kind in (*_STARTED, "spot-instances-request")]
    asked = {
        f"aws:RequestTag/{place.owned_tag}": "owned",
        f"aws:RequestTag/{_OF_CLUSTER}": place.name,
    }
    there = {
        "StringEquals": {f"aws:ResourceTag/{place.owned_tag}": "owned"},
        "StringLike": {f"aws:ResourceTag/{_NODE_POOL}": "*"},
    }
    request = {"StringLike": {f"aws:RequestTag/{_NODE_POOL}": "*"}}
    return document(
        allow(
            ("ec2:RunInstances", "ec2:CreateFleet"),
            resource=[
                *(f"{ec2}::{kind}/*" for kind in ("image", "snapshot")),
                *(f"{own}:{kind}/*" for kind in _USED),
            ],
        ),
        allow(
            ("ec2:RunInstances", "ec2:CreateFleet"),
            resource=f"{own}:launch-template/*",
            condition=there,
        ),
        allow(
            ("ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"),
            resource=started,
            condition={"StringEquals": asked, **request},
        ),
        allow(
            ("ec2:CreateTags",),
            resource=started,
            condition={
                "StringEquals": {
                    **asked,
                    "ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"],
                },
                **request,
            },
        ),
        allow(
            ("ec2:CreateTags",),
            resource=f"{own}:instance/*",
            condition={
                **there,
                "StringEqualsIfExists": {f"aws:RequestTag/{_OF_CLUSTER}": place.name},
                "ForAllValues:StringEquals": {
                    "aws:TagKeys": [_OF_CLUSTER, "karpenter.sh/nodeclaim", "Name"]
                },
            },
        ),
        allow(
            ("ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"),
            resource=[f"{own}:instance/*", f"{own}:launch-template/*"],
            condition=there,
        ),
        allow(
            ("iam:PassRole",),
            resource=f"{iam}:role/{place.node_profile}",
            condition={
                "StringEquals": {"iam:PassedToService": ["ec2.amazonaws.com"]}
                if place.partition != "aws-cn"
                else {"iam:PassedToService": ["ec2.amazonaws.com.cn"]}
            },
        ),
        allow(("iam:GetInstanceProfile",), resource=f"{iam}:instance-profile/{place.node_profile}"),
        allow(
            ("eks:DescribeCluster",),
            resource=f"arn:{place.partition}:eks:{place.region}:{place.account}"
            f":cluster/{place.name}",
        ),
        _events(place, KARPENTER, "sqs:GetQueueUrl"),
        allow(
            ("ssm:GetParameter",),
            resource=f"arn:{place.partition}:ssm:{place.region}::parameter/aws/service/*",
        ),
        # Reading what there is in the region has no resource to name.
        allow(
            (
                "ec2:DescribeCapacityReservations",
                "ec2:DescribeImages",
                "ec2:DescribeInstances",
                "ec2:DescribeInstanceStatus",
                "ec2:DescribeInstanceTypeOfferings",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplates",
                "ec2:DescribePlacementGroups",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSpotPriceHistory",
                "ec2:DescribeSubnets",
            ),
            resource="*",
            condition={"StringEquals": {"aws:RequestedRegion": place.region}},
        ),
        *([_spot(place)] if spot else ()),
        # Neither has AWS' price list, which is in one region, nor the list of instance profiles.
        allow(("pricing:GetProducts", "iam:ListInstanceProfiles"), resource="*"),
    )


def _spot(place: ClusterPlace) -> Document:
    service = "spot.amazonaws.com"
    role = f"aws-service-role/{service}/AWSServiceRoleForEC2Spot"
    return allow(
        ("iam:CreateServiceLinkedRole",),
        resource=f"arn:{place.partition}:iam::{place.account}:role/{role}",
        condition={"StringEquals": {"iam:AWSServiceName": service}},
    )


def drainer_policy(place: ClusterPlace) -> Document:
    """See which of the cluster's instances are to go, hold them for as long as they drain, and let
    them go."""
    groups = f"arn:{place.partition}:autoscaling:{place.region}:{place.account}:autoScalingGroup"
    region = {"StringEquals": {"aws:RequestedRegion": place.region}}
    return document(
        allow(
            ("autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat"),
            resource=f"{groups}:*:autoScalingGroupName/{place.name}-*",
            condition={"StringEquals": {f"aws:ResourceTag/{place.owned_tag}": "owned"}},
        ),
        _events(place, "drainer"),
        allow(
            (
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeLifecycleHooks",
                "autoscaling:DescribeTags",
                "ec2:DescribeInstances",
            ),
            resource="*",
            condition=region,
        ),
    )


def queue_policy(queue: str, rule: str, account: str) -> Document:
    """A queue's own policy (its ARN): that one rule of EventBridge may put events there, and nobody
    speaks to it unencrypted."""
    return document(
        {
            "Sid": "Events",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {
                "ArnEquals": {"aws:SourceArn": rule},
                "StringEquals": {"aws:SourceAccount": account},
            },
        },
        {
            "Sid": "Encrypted",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": queue,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )


def _events(place: ClusterPlace, controller: str, *further: str) -> Document:
    queue = place.queue(controller)
    return allow(
        ("sqs:DeleteMessage", "sqs:ReceiveMessage", *further),
        resource=f"arn:{place.partition}:sqs:{place.region}:{place.account}:{queue}",
    )
