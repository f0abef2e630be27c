"""A VPC, a cluster and a node group as they should be, as one Pulumi program.

Tests run it as it is, and with one thing in it broken. It is independent of our components, so
that a walk that finds nothing wrong with a shipped stack is known to be able to.
"""

import base64
import json

import pulumi
import pulumi_aws as aws

ACCOUNT = "123456789012"
TAGS = {"corral.dev/stack": "dev", "managed-by": "corral"}
EKS = "arn:aws:iam::aws:policy/"


def trust(service: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": service},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    )


account = aws.Provider(
    "account",
    region="eu-west-1",
    allowed_account_ids=[ACCOUNT],
    default_tags=aws.ProviderDefaultTagsArgs(tags=TAGS),
    skip_metadata_api_check=True,
)
at = pulumi.ResourceOptions(provider=account)

key_policy = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
key = aws.kms.Key("key", policy=json.dumps(key_policy), enable_key_rotation=True, opts=at)
aws.kms.Alias("key", name="alias/corral-dev", target_key_id=key.key_id, opts=at)
logs = aws.cloudwatch.LogGroup(
    "flow", name="/corral/dev/flow", retention_in_days=30, kms_key_id=key.arn, opts=at
)

vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", enable_dns_hostnames=True, opts=at)
gateway = aws.ec2.InternetGateway("gateway", vpc_id=vpc.id, opts=at)
aws.ec2.DefaultSecurityGroup("closed", vpc_id=vpc.id, opts=at)

public_table = aws.ec2.RouteTable("public", vpc_id=vpc.id, opts=at)
public_route = aws.ec2.Route(
    "public",
    route_table_id=public_table.id,
    destination_cidr_block="0.0.0.0/0",
    gateway_id=gateway.id,
    opts=at,
)
private, tables, nats = [], [], {}
for number, zone in enumerate("ab"):
    inside = aws.ec2.Subnet(
        f"public-{zone}",
        vpc_id=vpc.id,
        cidr_block=f"10.0.{number}.0/24",
        availability_zone=f"eu-west-1{zone}",
        opts=at,
    )
    aws.ec2.RouteTableAssociation(
        f"public-{zone}", route_table_id=public_table.id, subnet_id=inside.id, opts=at
    )
    address = aws.ec2.Eip(f"nat-{zone}", domain="vpc", opts=at)
    nats[zone] = aws.ec2.NatGateway(
        f"nat-{zone}", subnet_id=inside.id, allocation_id=address.allocation_id, opts=at
    )
for number, zone in enumerate("ab"):
    subnet = aws.ec2.Subnet(
        f"private-{zone}",
        vpc_id=vpc.id,
        cidr_block=f"10.0.1{number}.0/24",
        availability_zone=f"eu-west-1{zone}",
        opts=at,
    )
    table = aws.ec2.RouteTable(f"private-{zone}", vpc_id=vpc.id, opts=at)
    aws.ec2.RouteTableAssociation(
        f"private-{zone}", route_table_id=table.id, subnet_id=subnet.id, opts=at
    )
    aws.ec2.Route(
        f"private-{zone}",
        route_table_id=table.id,
        destination_cidr_block="0.0.0.0/0",
        nat_gateway_id=nats[zone].id,
        opts=at,
    )
    private.append(subnet)
    tables.append(table)

endpoints = aws.ec2.SecurityGroup("endpoints", name="endpoints", vpc_id=vpc.id, opts=at)
aws.vpc.SecurityGroupIngressRule(
    "endpoints",
    security_group_id=endpoints.id,
    cidr_ipv4="10.0.0.0/16",
    ip_protocol="tcp",
    from_port=443,
    to_port=443,
    opts=at,
)
aws.ec2.VpcEndpoint(
    "s3",
    vpc_id=vpc.id,
    service_name="com.amazonaws.eu-west-1.s3",
    vpc_endpoint_type="Gateway",
    route_table_ids=[table.id for table in tables],
    opts=at,
)
aws.ec2.VpcEndpoint(
    "sts",
    vpc_id=vpc.id,
    service_name="com.amazonaws.eu-west-1.sts",
    vpc_endpoint_type="Interface",
    subnet_ids=[subnet.id for subnet in private],
    security_group_ids=[endpoints.id],
    private_dns_enabled=True,
    opts=at,
)
flow_role = aws.iam.Role(
    "flow",
    name="corral-dev-flow",
    assume_role_policy=trust("vpc-flow-logs.amazonaws.com"),
    opts=at,
)
aws.iam.RolePolicy(
    "flow",
    name="write",
    role=flow_role.name,
    policy=logs.arn.apply(
        lambda arn: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                        "Resource": f"{arn}:*",
                    }
                ],
            }
        )
    ),
    opts=at,
)
aws.ec2.FlowLog(
    "flow",
    vpc_id=vpc.id,
    traffic_type="ALL",
    log_destination=logs.arn,
    iam_role_arn=flow_role.arn,
    opts=at,
)

cluster_role = aws.iam.Role(
    "cluster", name="corral-dev-cluster", assume_role_policy=trust("eks.amazonaws.com"), opts=at
)
attached = aws.iam.RolePolicyAttachment(
    "cluster", role=cluster_role.name, policy_arn=EKS + "AmazonEKSClusterPolicy", opts=at
)
cluster = aws.eks.Cluster(
    "cluster",
    name="corral-dev",
    version="1.36",
    role_arn=cluster_role.arn,
    vpc_config=aws.eks.ClusterVpcConfigArgs(
        subnet_ids=[subnet.id for subnet in private],
        endpoint_private_access=True,
        endpoint_public_access=False,
    ),
    encryption_config=aws.eks.ClusterEncryptionConfigArgs(
        provider=aws.eks.ClusterEncryptionConfigProviderArgs(key_arn=key.arn),
        resources=["secrets"],
    ),
    access_config=aws.eks.ClusterAccessConfigArgs(authentication_mode="API"),
    enabled_cluster_log_types=["api", "audit", "authenticator", "controllerManager", "scheduler"],
    opts=pulumi.ResourceOptions(provider=account, depends_on=[attached], protect=True),
)
aws.eks.Addon(
    "coredns",
    cluster_name=cluster.name,
    addon_name="coredns",
    addon_version="v1.13.1-eksbuild.1",
    opts=at,
)

node_role = aws.iam.Role(
    "node", name="corral-dev-node", assume_role_policy=trust("ec2.amazonaws.com"), opts=at
)
aws.iam.RolePolicyAttachment(
    "node", role=node_role.name, policy_arn=EKS + "AmazonEKSWorkerNodePolicy", opts=at
)
profile = aws.iam.InstanceProfile("node", name="corral-dev-node", role=node_role.name, opts=at)
aws.eks.AccessEntry(
    "node",
    cluster_name=cluster.name,
    principal_arn=node_role.arn,
    type="EC2_LINUX",
    opts=at,
)
template = aws.ec2.LaunchTemplate(
    "pool",
    name="corral-dev-pool",
    image_id="ami-03cf127a",
    instance_type="m8i.4xlarge",
    user_data=base64.b64encode(b"#!/bin/sh\n").decode(),
    cpu_options=aws.ec2.LaunchTemplateCpuOptionsArgs(nested_virtualization="enabled"),
    metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
        http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
    ),
    block_device_mappings=[
        aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
            device_name="/dev/xvda",
            ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                volume_size=100, volume_type="gp3", encrypted="true", kms_key_id=key.arn
            ),
        )
    ],
    iam_instance_profile=aws.ec2.LaunchTemplateIamInstanceProfileArgs(arn=profile.arn),
    vpc_security_group_ids=[cluster.vpc_config.cluster_security_group_id],
    tag_specifications=[
        aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=TAGS)
        for kind in ("instance", "volume")
    ],
    opts=at,
)
aws.autoscaling.Group(
    "pool",
    name="corral-dev-pool",
    min_size=0,
    max_size=3,
    vpc_zone_identifiers=[subnet.id for subnet in private],
    launch_template=aws.autoscaling.GroupLaunchTemplateArgs(
        id=template.id, version=template.latest_version.apply(str)
    ),
    tags=[
        aws.autoscaling.GroupTagArgs(key=name, value=value, propagate_at_launch=True)
        for name, value in TAGS.items()
    ],
    opts=at,
)
queue = aws.sqs.Queue("events", name="corral-dev-events", sqs_managed_sse_enabled=True, opts=at)
rule = aws.cloudwatch.EventRule(
    "events",
    name="corral-dev-events",
    event_pattern=json.dumps({"source": ["aws.ec2"]}),
    opts=at,
)
aws.sqs.QueuePolicy(
    "events",
    queue_url=queue.url,
    policy=pulumi.Output.all(queue.arn, rule.arn).apply(
        lambda seen: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": seen[0],
                        "Condition": {"ArnEquals": {"aws:SourceArn": seen[1]}},
                    }
                ],
            }
        )
    ),
    opts=at,
)
aws.cloudwatch.EventTarget("events", rule=rule.name, arn=queue.arn, opts=at)
bucket = aws.s3.Bucket("freeze", bucket="corral-dev-freeze-123456789012", opts=at)
aws.s3.BucketPublicAccessBlock(
    "freeze",
    bucket=bucket.id,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
    opts=at,
)
aws.s3.BucketServerSideEncryptionConfiguration(
    "freeze",
    bucket=bucket.id,
    rules=[
        aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
            apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                sse_algorithm="aws:kms", kms_master_key_id=key.arn
            )
        )
    ],
    opts=at,
)
pulumi.export("cluster", cluster.endpoint)
