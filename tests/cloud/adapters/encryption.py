"""Keys and log groups."""

from __future__ import annotations

from tests.cloud.adapters.adapter import Call, Made, adapts


@adapts("aws:kms/key:Key")
def key(call: Call) -> Made:
    kms = call.client("kms")
    call.given.only_provider("deletionWindowInDays")
    made = kms.create_key(
        **call.given.pascal("description", "keyUsage", "policy", "multiRegion"),
        **call.given.renamed(
            {
                "customerMasterKeySpec": "KeySpec",
                "bypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck",
            }
        ),
        Tags=[{"TagKey": name, "TagValue": value} for name, value in call.tags().items()],
    )["KeyMetadata"]
    found = made["KeyId"]
    period = call.given.renamed({"rotationPeriodInDays": "RotationPeriodInDays"})
    if call.given.get("enableKeyRotation"):
        kms.enable_key_rotation(KeyId=found, **period)
    if call.given.get("isEnabled") is False:
        kms.disable_key(KeyId=found)
    return Made(id=found, outputs={"arn": made["Arn"], "keyId": found})


@adapts("aws:kms/alias:Alias")
def alias(call: Call) -> Made:
    name, target = call.given["name"], call.given["targetKeyId"]
    call.client("kms").create_alias(AliasName=name, TargetKeyId=target)
    return Made(id=name, outputs={"arn": call.account.arn("kms", name), "targetKeyArn": target})


@adapts("aws:cloudwatch/logStream:LogStream")
def log_stream(call: Call) -> Made:
    name, group = call.given.get("name", call.name), call.given["logGroupName"]
    call.client("logs").create_log_stream(logGroupName=group, logStreamName=name)
    arn = call.account.arn("logs", f"log-group:{group}:log-stream:{name}")
    return Made(id=name, outputs={"name": name, "arn": arn})


@adapts("aws:cloudwatch/logGroup:LogGroup")
def log_group(call: Call) -> Made:
    logs = call.client("logs")
    call.given.only_provider("skipDestroy")
    name = call.given.get("name", call.name)
    arguments = call.given.same("kmsKeyId", "logGroupClass")
    logs.create_log_group(logGroupName=name, tags=call.tags(), **arguments)
    if days := call.given.get("retentionInDays"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    arn = call.account.arn("logs", f"log-group:{name}")
    return Made(id=name, outputs={"name": name, "arn": arn})
