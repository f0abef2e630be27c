"""What launch templates and groups start."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any, Final

from tests.cloud.running import World

USER_DATA_LIMIT: Final = 16 * 1024


def nodes_are_guarded(world: World) -> list[str]:
    """Templates ask for the second metadata service, one hop, no public address, no SSH key, an
    instance profile with a role, a security group, and user data that fits; groups start versions
    that exist."""
    ec2 = world.account.client("ec2")
    versions: dict[str, set[str]] = {}
    wrong: list[str] = []
    for one in world.executor.of("aws:ec2/launchTemplate:LaunchTemplate"):
        described = ec2.describe_launch_template_versions(LaunchTemplateId=one.id)
        standing = described["LaunchTemplateVersions"]
        versions[one.id] = {str(version["VersionNumber"]) for version in standing}
        data = standing[-1]["LaunchTemplateData"]
        wrong += [f"template {one.name}: {what}" for what in _template(world, data)]
    wrong += _groups(world, versions)
    wrong += _events(world)
    return wrong


def _events(world: World) -> list[str]:
    """Rules whose events reach no queue, or one that doesn't take them."""
    events, sqs = world.account.client("events"), world.account.client("sqs")
    takes = {}
    for one in world.executor.of("aws:sqs/queue:Queue"):
        kept = sqs.get_queue_attributes(QueueUrl=one.id, AttributeNames=["Policy"])
        policy = json.loads(kept.get("Attributes", {}).get("Policy", '{"Statement": []}'))
        takes[one.outputs["arn"]] = {
            statement.get("Condition", {}).get("ArnEquals", {}).get("aws:SourceArn")
            for statement in policy["Statement"]
            if statement["Effect"] == "Allow"
        }
    wrong = []
    for rule in world.executor.of("aws:cloudwatch/eventRule:EventRule"):
        targets = events.list_targets_by_rule(Rule=rule.id)["Targets"]
        if not targets:
            wrong.append(f"rule {rule.id}: its events go nowhere")
        wrong += [
            f"rule {rule.id}: {target['Arn']} doesn't take its events"
            for target in targets
            if rule.outputs["arn"] not in takes.get(target["Arn"], ())
        ]
    return wrong


def _template(world: World, data: dict[str, Any]) -> Iterator[str]:
    metadata = data.get("MetadataOptions", {})
    if metadata.get("HttpTokens") != "required":
        yield "the first metadata service answers"
    if metadata.get("HttpPutResponseHopLimit") != 1:
        yield "pods reach the node's credentials: the hop limit isn't 1"
    if data.get("KeyName"):
        yield "it has an SSH key"
    interfaces = data.get("NetworkInterfaces", [])
    if any(one.get("AssociatePublicIpAddress") for one in interfaces):
        yield "its instances get public addresses"
    if not data.get("SecurityGroupIds") and not any(one.get("Groups") for one in interfaces):
        yield "its instances get the VPC's default security group"
    yield from _user_data(data.get("UserData", ""))
    yield from _profile(world, data.get("IamInstanceProfile", {}))


def _user_data(encoded: str) -> Iterator[str]:
    try:
        text = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        yield "its user data isn't base64"
        return
    if len(text) > USER_DATA_LIMIT:
        yield f"its user data has {len(text)} bytes; EC2 takes {USER_DATA_LIMIT}"


def _profile(world: World, profile: dict[str, Any]) -> Iterator[str]:
    iam = world.account.client("iam")
    found = [
        one
        for one in iam.list_instance_profiles()["InstanceProfiles"]
        if one["Arn"] == profile.get("Arn") or one["InstanceProfileName"] == profile.get("Name")
    ]
    if not found:
        yield "its instance profile doesn't exist: the node can't join"
    elif not found[0]["Roles"]:
        yield "its instance profile has no role: the node can't join"


def _groups(world: World, versions: dict[str, set[str]]) -> list[str]:
    wrong = []
    groups = world.account.client("autoscaling").describe_auto_scaling_groups()
    for group in groups["AutoScalingGroups"]:
        mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
        used = group.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification") or {}
        named = str(used.get("Version"))
        if used.get("LaunchTemplateId") not in versions:
            wrong.append(f"group {group['AutoScalingGroupName']}: its template isn't the stack's")
        elif named.startswith("$"):
            wrong.append(
                f"group {group['AutoScalingGroupName']}: version {named} floats: nodes differ "
                "with no change to the group"
            )
        elif named not in versions[used["LaunchTemplateId"]]:
            wrong.append(f"group {group['AutoScalingGroupName']}: no version {named}")
    return wrong
