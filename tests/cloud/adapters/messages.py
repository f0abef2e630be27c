"""Queues and event rules: how interruptions and lifecycle events reach the cluster."""

from __future__ import annotations

from tests.cloud.adapters.adapter import Call, Made, adapts


@adapts("aws:sqs/queue:Queue")
def queue(call: Call) -> Made:
    sqs = call.client("sqs")
    name = call.given.get("name", call.name)
    attributes = call.given.renamed(
        {
            "messageRetentionSeconds": "MessageRetentionPeriod",
            "visibilityTimeoutSeconds": "VisibilityTimeout",
            "sqsManagedSseEnabled": "SqsManagedSseEnabled",
            "kmsMasterKeyId": "KmsMasterKeyId",
            "policy": "Policy",
        }
    )
    text = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in attributes.items()
    }
    url = sqs.create_queue(QueueName=name, Attributes=text, tags=call.tags())["QueueUrl"]
    arn = call.account.arn("sqs", name)
    return Made(id=url, outputs={"name": name, "url": url, "arn": arn})


@adapts("aws:sqs/queuePolicy:QueuePolicy")
def queue_policy(call: Call) -> Made:
    url = call.given["queueUrl"]
    call.client("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": call.given["policy"]}
    )
    return Made(id=url)


@adapts("aws:cloudwatch/eventRule:EventRule")
def event_rule(call: Call) -> Made:
    name = call.given.get("name", call.name)
    arn = call.client("events").put_rule(
        Name=name,
        **call.given.pascal("description", "eventPattern", "scheduleExpression", "state"),
        Tags=call.tag_list(),
    )["RuleArn"]
    return Made(id=name, outputs={"name": name, "arn": arn})


@adapts("aws:cloudwatch/eventTarget:EventTarget")
def event_target(call: Call) -> Made:
    rule, arn = call.given["rule"], call.given["arn"]
    target = call.given.get("targetId", call.name)
    call.client("events").put_targets(Rule=rule, Targets=[{"Id": target, "Arn": arn}])
    return Made(id=f"{rule}-{target}", outputs={"targetId": target})
