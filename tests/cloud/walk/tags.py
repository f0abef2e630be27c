"""Default tags: who pays for it, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.cloud.running import World

EC2_ID: Final = ("vpc-", "subnet-", "igw-", "nat-", "rtb-", "sg-", "eipalloc-", "vpce-", "lt-")
"""Beginnings of identifiers of what EC2 keeps tags for."""


def everything_is_tagged(world: World) -> list[str]:
    """The provider's default tags stand on what was created in EC2, IAM, EKS, KMS, logs, SQS and
    S3; groups and templates hand them to nodes and their disks."""
    wanted = world.account.default_tags
    if not wanted:
        return ["the provider has no default tags"]
    found = {**_ec2(world), **_others(world), **_groups(world)}
    return [
        f"{what} lacks {', '.join(sorted(wanted.keys() - tags.keys()))}"
        for what, tags in found.items()
        if not wanted.items() <= tags.items()
    ]


def _as_map(tags: list[dict[str, Any]], key: str = "Key", value: str = "Value") -> dict[str, str]:
    return {tag[key]: tag[value] for tag in tags}


def _ec2(world: World) -> dict[str, Mapping[str, str]]:
    created = [one for one in world.executor.created if one.in_moto and one.id.startswith(EC2_ID)]
    found: dict[str, dict[str, str]] = {f"{one.type} {one.name}": {} for one in created}
    names = {one.id: f"{one.type} {one.name}" for one in created}
    pages = world.account.client("ec2").get_paginator("describe_tags").paginate()
    for page in pages:
        for tag in page["Tags"]:
            if tag["ResourceId"] in names:
                found[names[tag["ResourceId"]]][tag["Key"]] = tag["Value"]
    return dict(found)


def _others(world: World) -> dict[str, Mapping[str, str]]:
    account, executor = world.account, world.executor
    iam, kms, s3 = account.client("iam"), account.client("kms"), account.client("s3")
    found: dict[str, Mapping[str, str]] = {}
    for one in executor.of("aws:iam/role:Role"):
        found[f"role {one.id}"] = _as_map(iam.list_role_tags(RoleName=one.id)["Tags"])
    for one in executor.of("aws:iam/policy:Policy"):
        found[f"policy {one.name}"] = _as_map(iam.list_policy_tags(PolicyArn=one.id)["Tags"])
    for one in executor.of("aws:kms/key:Key"):
        tags = kms.list_resource_tags(KeyId=one.id)["Tags"]
        found[f"key {one.name}"] = _as_map(tags, "TagKey", "TagValue")
    for one in executor.of("aws:s3/bucket:Bucket"):
        found[f"bucket {one.id}"] = _as_map(s3.get_bucket_tagging(Bucket=one.id)["TagSet"])
    for one in executor.of("aws:cloudwatch/logGroup:LogGroup"):
        tags = account.client("logs").list_tags_for_resource(resourceArn=one.outputs["arn"])
        found[f"log group {one.id}"] = tags["tags"]
    for one in executor.of("aws:sqs/queue:Queue"):
        found[f"queue {one.name}"] = account.client("sqs").list_queue_tags(QueueUrl=one.id)["Tags"]
    for one in executor.of("aws:eks/cluster:Cluster"):
        cluster = account.client("eks").describe_cluster(name=one.id)["cluster"]
        found[f"cluster {one.id}"] = cluster["tags"]
    return found


def _groups(world: World) -> dict[str, Mapping[str, str]]:
    """Groups, to which the provider's default tags don't come by themselves, and what launch
    templates say of instances and volumes."""
    groups = world.account.client("autoscaling").describe_auto_scaling_groups()
    found: dict[str, Mapping[str, str]] = {
        f"group {group['AutoScalingGroupName']}": _as_map(group["Tags"])
        for group in groups["AutoScalingGroups"]
    }
    for one in world.executor.of("aws:ec2/launchTemplate:LaunchTemplate"):
        [version] = world.account.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=one.id
        )["LaunchTemplateVersions"]
        said = {
            block["ResourceType"]: _as_map(block["Tags"])
            for block in version["LaunchTemplateData"].get("TagSpecifications", ())
        }
        for kind in ("instance", "volume"):
            found[f"each {kind} of template {one.name}"] = said.get(kind, {})
    return found
