"""The inputs of AWS resources whose change makes a new resource and deletes the old one.

`ForceNew` in the provider's own schemas: terraform-provider-aws, which pulumi-aws 7 is built on,
`internal/service/**`, in stored versions of differing age (read file by file on 2026-11-23; the
schema of exactly 7.51.1 could not be had). A resource that is `region`-al is
replaced by another region too, which here is the provider's.

`tests/cloud/test_replacing.py` holds every registered type to this table, and says which settings
change such an input.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Inputs = Mapping[str, Any]

REPLACED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "aws:autoscaling/group:Group": ("initialLifecycleHooks", "name", "namePrefix"),
    "aws:autoscaling/lifecycleHook:LifecycleHook": ("name",),
    "aws:cloudwatch/eventRule:EventRule": ("eventBusName", "name", "namePrefix"),
    "aws:cloudwatch/eventTarget:EventTarget": ("eventBusName", "rule", "targetId"),
    "aws:cloudwatch/logGroup:LogGroup": ("logGroupClass", "name", "namePrefix"),
    "aws:cloudwatch/logStream:LogStream": ("logGroupName", "name"),
    "aws:ec2/capacityReservation:CapacityReservation": (
        "availabilityZone",
        "ebsOptimized",
        "ephemeralStorage",
        "instanceMatchCriteria",
        "instancePlatform",
        "instanceType",
        "tenancy",
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ("vpcId",),
    "aws:ec2/eip:Eip": (
        "address",
        "domain",
        "ipamPoolId",
        "networkBorderGroup",
        "publicIpv4Pool",
    ),
    "aws:ec2/flowLog:FlowLog": (
        "deliverCrossAccountRole",
        "destinationOptions",
        "eniId",
        "iamRoleArn",
        "logDestination",
        "logDestinationType",
        "logFormat",
        "maxAggregationInterval",
        "subnetId",
        "trafficType",
        "transitGatewayAttachmentId",
        "transitGatewayId",
        "vpcId",
    ),
    "aws:ec2/internetGateway:InternetGateway": (),
    "aws:ec2/launchTemplate:LaunchTemplate": ("name", "namePrefix"),
    "aws:ec2/natGateway:NatGateway": (
        "allocationId",
        "connectivityType",
        "privateIp",
        "secondaryPrivateIpAddressCount",
        "subnetId",
    ),
    "aws:ec2/route:Route": (
        "destinationCidrBlock",
        "destinationIpv6CidrBlock",
        "destinationPrefixListId",
        "routeTableId",
    ),
    "aws:ec2/routeTable:RouteTable": ("vpcId",),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": ("gatewayId", "subnetId"),
    "aws:ec2/securityGroup:SecurityGroup": ("description", "name", "namePrefix", "vpcId"),
    "aws:ec2/subnet:Subnet": (
        "availabilityZone",
        "availabilityZoneId",
        "cidrBlock",
        "ipv4IpamPoolId",
        "ipv4NetmaskLength",
        "ipv6IpamPoolId",
        "ipv6Native",
        "ipv6NetmaskLength",
        "outpostArn",
        "vpcId",
    ),
    "aws:ec2/vpc:Vpc": ("cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (
        "resourceConfigurationArn",
        "serviceName",
        "serviceNetworkArn",
        "serviceRegion",
        "vpcEndpointType",
        "vpcId",
    ),
    "aws:eks/accessEntry:AccessEntry": ("clusterName", "principalArn", "type"),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": (
        "accessScope",
        "clusterName",
        "policyArn",
        "principalArn",
    ),
    "aws:eks/addon:Addon": ("addonName", "clusterName"),
    "aws:eks/cluster:Cluster": (
        "accessConfig.bootstrapClusterCreatorAdminPermissions",
        "bootstrapSelfManagedAddons",
        "kubernetesNetworkConfig.ipFamily",
        "kubernetesNetworkConfig.serviceIpv4Cidr",
        "name",
        "outpostConfig",
        "remoteNetworkConfig",
        "roleArn",
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": (
        "clusterName",
        "namespace",
        "serviceAccount",
    ),
    "aws:iam/instanceProfile:InstanceProfile": ("name", "namePrefix", "path"),
    "aws:iam/role:Role": ("name", "namePrefix", "path"),
    "aws:iam/rolePolicy:RolePolicy": ("name", "namePrefix", "role"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ("policyArn", "role"),
    "aws:kms/alias:Alias": ("name", "namePrefix"),
    "aws:kms/key:Key": (
        "customKeyStoreId",
        "customerMasterKeySpec",
        "keyUsage",
        "multiRegion",
        "xksKeyId",
    ),
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": (
        "confidenceThreshold",
        "dnsThreatProtection",
        "firewallDomainListId",
        "firewallRuleGroupId",
    ),
    "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": ("name",),
    "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation": (
        "firewallRuleGroupId",
        "vpcId",
    ),
    "aws:s3/bucket:Bucket": ("bucket", "bucketPrefix", "objectLockEnabled"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("bucket",),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "bucket",
        "expectedBucketOwner",
    ),
    "aws:sqs/queue:Queue": ("fifoQueue", "name", "namePrefix"),
    "aws:sqs/queuePolicy:QueuePolicy": ("queueUrl",),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ("securityGroupId",),
}
"""Paths of inputs by type. Left out are the cases that a schema decides by values: an EKS cluster's
encryption taken away, a rule of a security group that changes its kind of source."""


def replacing(token: str, inputs: Inputs) -> tuple[str, ...]:
    """The paths among the resource's inputs that replace it when they change; none for a type
    that the table doesn't have."""
    return tuple(path for path in REPLACED_BY.get(token, ()) if _at(inputs, path) is not None)


def replaced_by_change(token: str, before: Inputs, after: Inputs) -> tuple[str, ...]:
    """The paths whose change from one set of inputs to the other makes a new resource."""
    paths = REPLACED_BY.get(token, ())
    return tuple(path for path in paths if _at(before, path) != _at(after, path))


def _at(inputs: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(inputs, Mapping):
            return None
        inputs = inputs.get(key)
    return inputs
