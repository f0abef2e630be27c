"""What is encrypted, and with whose key."""

from __future__ import annotations

from tests.cloud.running import World


def everything_is_encrypted(world: World) -> list[str]:
    """Volumes and what launch templates make, log groups, buckets, queues and the cluster's
    secrets; the stack's own keys rotate."""
    return [
        *_templates(world),
        *_volumes(world),
        *_logs(world),
        *_cluster(world),
        *_keys(world),
        *_buckets(world),
        *_queues(world),
    ]


def _templates(world: World) -> list[str]:
    ec2 = world.account.client("ec2")
    wrong = []
    for one in world.executor.of("aws:ec2/launchTemplate:LaunchTemplate"):
        [version] = ec2.describe_launch_template_versions(LaunchTemplateId=one.id)[
            "LaunchTemplateVersions"
        ]
        devices = version["LaunchTemplateData"].get("BlockDeviceMappings", [])
        if not devices:
            wrong.append(f"{one.name}: it says nothing about disks, so the image decides")
        wrong += [
            f"{one.name}: {device['DeviceName']} isn't encrypted"
            for device in devices
            if device.get("Ebs", {}).get("Encrypted") is not True
        ]
    return wrong


def _volumes(world: World) -> list[str]:
    """Volumes that exist because moto started a group's instances. The root volume of an image that
    moto doesn't know is moto's own invention: only devices that templates name count."""
    ec2 = world.account.client("ec2")
    named = {
        device.get("deviceName")
        for one in world.executor.of("aws:ec2/launchTemplate:LaunchTemplate")
        for device in one.inputs.get("blockDeviceMappings", ())
    }
    return [
        f"{volume['VolumeId']} isn't encrypted"
        for volume in ec2.describe_volumes()["Volumes"]
        if not volume["Encrypted"]
        and (
            not volume["Attachments"]
            or any(one["Device"] in named for one in volume["Attachments"])
        )
    ]


def _logs(world: World) -> list[str]:
    groups = world.account.client("logs").describe_log_groups()["logGroups"]
    wrong = []
    for group in groups:
        if not group.get("kmsKeyId"):
            wrong.append(f"log group {group['logGroupName']} has no key of ours")
        if not group.get("retentionInDays"):
            wrong.append(f"log group {group['logGroupName']} is kept for ever")
    return wrong


def _cluster(world: World) -> list[str]:
    own = {one.outputs["arn"] for one in world.executor.of("aws:kms/key:Key")}
    wrong = []
    for one in world.executor.of("aws:eks/cluster:Cluster"):
        cluster = world.account.client("eks").describe_cluster(name=one.id)["cluster"]
        keys = {
            entry["provider"]["keyArn"]
            for entry in cluster.get("encryptionConfig") or ()
            if "secrets" in entry["resources"]
        }
        if not keys & own:
            wrong.append(f"cluster {one.id}: its secrets aren't encrypted with a key of the stack")
        logged = {
            kind
            for entry in cluster["logging"]["clusterLogging"]
            if entry["enabled"]
            for kind in entry["types"]
        }
        missing = {"api", "audit", "authenticator", "controllerManager", "scheduler"} - logged
        if missing:
            wrong.append(f"cluster {one.id} doesn't log {', '.join(sorted(missing))}")
    return wrong


def _keys(world: World) -> list[str]:
    kms = world.account.client("kms")
    return [
        f"key {one.name} never rotates"
        for one in world.executor.of("aws:kms/key:Key")
        if not kms.get_key_rotation_status(KeyId=one.id)["KeyRotationEnabled"]
    ]


def _buckets(world: World) -> list[str]:
    s3 = world.account.client("s3")
    wrong = []
    for bucket in s3.list_buckets()["Buckets"]:
        try:
            s3.get_bucket_encryption(Bucket=bucket["Name"])
        except s3.exceptions.ClientError:
            wrong.append(f"bucket {bucket['Name']} isn't encrypted")
    return wrong


def _queues(world: World) -> list[str]:
    sqs = world.account.client("sqs")
    wrong = []
    for one in world.executor.of("aws:sqs/queue:Queue"):
        kept = sqs.get_queue_attributes(QueueUrl=one.id, AttributeNames=["All"])["Attributes"]
        if kept.get("SqsManagedSseEnabled") != "true" and not kept.get("KmsMasterKeyId"):
            wrong.append(f"queue {one.name} isn't encrypted")
    return wrong
