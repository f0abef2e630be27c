"""Queues, rules of events, and hooks of groups."""

from __future__ import annotations

from tests.cloud.adapters.adapter import Call, Made, adapts, dropped


@adapts("aws:sqs/queue:Queue")
def queue(call: Call) -> Made:
    sent = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in call.given.renamed(
            {
                "messageRetentionSeconds": "MessageRetentionPeriod",
                "visibilityTimeoutSeconds": "VisibilityTimeout",
                "sqsManagedSseEnabled": "SqsManagedSseEnabled",
                "kmsMasterKeyId": "KmsMasterKeyId",
            }
        ).items()
    }
    sqs = call.client("sqs")
    name = call.given.get("name", call.name)
    url = sqs.create_queue(QueueName=name, Attributes=sent, tags=call.tags())["QueueUrl"]
    kept = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return Made(
        id=url,
        outputs={"url": url, "name": name, "arn": kept["QueueArn"]},
        dropped=dropped(sent, kept),
    )


@adapts("aws:sqs/queuePolicy:QueuePolicy")
def queue_policy(call: Call) -> Made:
    url = call.given["queueUrl"]
    call.client("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": call.given["policy"]}
    )
    return Made(id=url)


@adapts("aws:cloudwatch/eventRule:EventRule")
def event_rule(call: Call) -> Made:
    events = call.client("events")
    name = call.given.get("name", call.name)
    made = events.put_rule(
        Name=name, **call.given.pascal("description", "eventPattern"), Tags=call.tag_list()
    )
    kept = events.describe_rule(Name=name)
    return Made(
        id=name,
        outputs={"name": name, "arn": made["RuleArn"]},
        dropped=dropped(call.given.pascal("description", "eventPattern"), kept),
    )


@adapts("aws:cloudwatch/eventTarget:EventTarget")
def event_target(call: Call) -> Made:
    rule, target = call.given["rule"], call.given.get("targetId", call.name)
    failed = call.client("events").put_targets(
        Rule=rule, Targets=[{"Id": target, "Arn": call.given["arn"]}]
    )["FailedEntries"]
    if failed:
        raise ValueError(f"moto refuses the target: {failed}")
    return Made(id=f"{rule}-{target}", outputs={"targetId": target})


@adapts("aws:autoscaling/lifecycleHook:LifecycleHook")
def lifecycle_hook(call: Call) -> Made:
    group, name = call.given["autoscalingGroupName"], call.given.get("name", call.name)
    sent = call.given.pascal("lifecycleTransition", "defaultResult", "heartbeatTimeout")
    scaling = call.client("autoscaling")
    scaling.put_lifecycle_hook(AutoScalingGroupName=group, LifecycleHookName=name, **sent)
    [kept] = scaling.describe_lifecycle_hooks(
        AutoScalingGroupName=group, LifecycleHookNames=[name]
    )["LifecycleHooks"]
    return Made(id=name, outputs={"name": name}, dropped=dropped(sent, kept))
