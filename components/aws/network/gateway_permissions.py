"""What calico-node may do in EC2 for gateways with addresses of the VPC.

The calls are those of Felix (`felix/aws`): an interface in the zone's subnet with the gateway's
address, attached to the node that it is on, and one of the Elastic IPs for it.
https://docs.tigera.io/calico-enterprise/latest/networking/egress/egress-gateway-aws
"""

from __future__ import annotations

from collections.abc import Sequence

from components.aws.policies import Document, allow, document
from components.scaling.names import ClusterPlace
from corral.settings.aws.texts import partition

SEEN = (
    "ec2:DescribeAddresses",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
)
ON_INTERFACES = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:AssociateAddress",
    "ec2:AttachNetworkInterface",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DetachNetworkInterface",
    "ec2:DisassociateAddress",
    "ec2:ModifyNetworkInterfaceAttribute",
    "ec2:UnassignPrivateIpAddresses",
)
ON_INSTANCES = (
    "ec2:AssociateAddress",
    "ec2:AttachNetworkInterface",
    "ec2:DetachNetworkInterface",
    "ec2:ModifyNetworkInterfaceAttribute",
)
ON_ADDRESSES = ("ec2:AssociateAddress", "ec2:DisassociateAddress")

PURPOSE_TAG = "corral.dev/purpose"
PURPOSE = "egress-addresses"
CLUSTER_TAG = "corral.dev/cluster"


def address_tags(cluster: str) -> dict[str, str]:
    """Of Elastic IPs and of subnets: which cluster's gateways they are for."""
    return {PURPOSE_TAG: PURPOSE, CLUSTER_TAG: cluster}


def calico_node_policy(
    place: ClusterPlace, *, subnets: Sequence[str], security_group: str, pools: Sequence[str]
) -> Document:
    """Interfaces in those subnets (by their ids) and with that group alone, on nodes of those pools
    alone, with the cluster's own Elastic IPs. On every node the same: a node that was taken over
    can take gateways' addresses away, and gets none of them for itself."""
    arn = f"arn:{partition(place.region)}:ec2:{place.region}:{place.account}"
    own = [f"{arn}:subnet/{subnet}" for subnet in subnets]
    interfaces = f"{arn}:network-interface/*"
    tags = {f"aws:ResourceTag/{key}": value for key, value in address_tags(place.name).items()}
    return document(
        # None of these has a resource to name.
        allow(
            SEEN, resource="*", condition={"StringEquals": {"aws:RequestedRegion": place.region}}
        ),
        allow(
            ("ec2:CreateNetworkInterface",),
            resource=[*own, f"{arn}:security-group/{security_group}"],
        ),
        allow(ON_INTERFACES, resource=interfaces, condition={"ArnEquals": {"ec2:Subnet": own}}),
        allow(
            ("ec2:CreateTags",),
            resource=interfaces,
            condition={"StringEquals": {"ec2:CreateAction": "CreateNetworkInterface"}},
        ),
        allow(
            ON_INSTANCES,
            resource=f"{arn}:instance/*",
            condition={
                "StringEquals": {"aws:ResourceTag/Name": [f"{place.name}-{pool}" for pool in pools]}
            },
        ),
        allow(ON_ADDRESSES, resource=f"{arn}:elastic-ip/*", condition={"StringEquals": tags}),
    )
