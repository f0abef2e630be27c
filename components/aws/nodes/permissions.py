"""What nodes themselves may do in AWS. Pods get none of it: the metadata service answers one hop
away only, and rights of pods come by Pod Identity.

AWS' own AmazonEKSWorkerNodePolicy lets a node take the roles of pods in every cluster of the
account, and list the account's networks and volumes, which self-managed nodes have no use for.
https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
"""

from __future__ import annotations

from components.aws.policies import Document, allow, document
from corral.settings.aws.texts import partition

PULL_ACTIONS = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
)


def node_policy(*, account: str, region: str, cluster: str) -> Document:
    """Join that one cluster, give its pods their roles, and pull images of the region's registries:
    of AWS' accounts, where EKS keeps its own images, and of the customer's."""
    arn = f"arn:{partition(region)}"
    own = f"{arn}:eks:{region}:{account}:cluster/{cluster}"
    return document(
        allow(("eks:DescribeCluster", "eks-auth:AssumeRoleForPodIdentity"), resource=own),
        allow(PULL_ACTIONS, resource=f"{arn}:ecr:{region}:*:repository/*"),
        # These have no resource to name: a token for all registries (it grants nothing by itself),
        # and what nodeadm asks of the instance that it runs on.
        allow(
            ("ecr:GetAuthorizationToken", "ec2:DescribeInstances", "ec2:DescribeInstanceTypes"),
            resource="*",
            condition={"StringEquals": {"aws:RequestedRegion": region}},
        ),
    )
