"""Rights and queues of the controllers that start and drain nodes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import cloudwatch, eks, iam, sqs

from components.aws.policies import Document, pod_identity_trust
from components.aws.scaling.permissions import drainer_policy, karpenter_policy, queue_policy
from components.children import Children
from components.scaling.names import DRAINER, KARPENTER, NAMESPACE, ClusterPlace

MINUTES_TO_ACT = 300
"""Seconds after which an interruption is no news to Karpenter any more."""

LONGEST_DRAIN = 48 * 3600
"""Seconds that EC2 Auto Scaling holds an instance at most. Until then its event waits in the queue,
so that a drainer that was restarted finds it again."""

INTERRUPTIONS = (
    "EC2 Spot Instance Interruption Warning",
    "EC2 Instance Rebalance Recommendation",
    "EC2 Instance State-change Notification",
    "EC2 Capacity Reservation Instance Interruption Warning",
)


def karpenter_events() -> dict[str, Any]:
    """Which events tell that an instance goes, or should."""
    return {
        "source": ["aws.ec2", "aws.health"],
        "detail-type": [*INTERRUPTIONS, "AWS Health Event"],
    }


def drainer_events(cluster: str) -> dict[str, Any]:
    """Instances that their group wants to end, and spot instances that EC2 takes back."""
    return {
        "$or": [
            {
                "source": ["aws.autoscaling"],
                "detail-type": ["EC2 Instance-terminate Lifecycle Action"],
                "detail": {"AutoScalingGroupName": [{"prefix": f"{cluster}-"}]},
            },
            {"source": ["aws.ec2"], "detail-type": [INTERRUPTIONS[0]]},
        ]
    }


@dataclass(frozen=True, kw_only=True)
class ScalingArgs:
    """The cluster, and its name once it stands; whether some pool has nodes that Karpenter starts,
    and spot ones among them; and whether some has nodes that are always there."""

    place: ClusterPlace
    cluster: pulumi.Input[str]
    karpenter: bool
    spot: bool
    drainer: bool


class Scaling(pulumi.ComponentResource):
    """A role by Pod Identity and a queue of events for each of the two controllers."""

    ready: tuple[pulumi.Resource, ...]
    """What must stand before the controllers start: a pod that is started before it has a role gets
    none later."""

    def __init__(
        self, name: str, args: ScalingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:aws:Scaling", name, None, opts)
        self._children = Children(parent=self)
        self._place, self._cluster = args.place, args.cluster
        ready = []
        if args.karpenter:
            ready.append(
                self._identity("karpenter", KARPENTER, karpenter_policy(args.place, spot=args.spot))
            )
            self._queue("karpenter", karpenter_events(), seconds=MINUTES_TO_ACT)
        if args.drainer:
            ready.append(self._identity("drainer", DRAINER, drainer_policy(args.place)))
            self._queue("drainer", drainer_events(args.place.name), seconds=LONGEST_DRAIN)
        self.ready = tuple(ready)
        self.register_outputs({})

    def _identity(self, name: str, service_account: str, policy: Document) -> pulumi.Resource:
        role = iam.Role(
            name,
            name=f"{self._place.name}-{name}",
            description=f"{service_account}, by Pod Identity",
            assume_role_policy=json.dumps(pod_identity_trust()),
            opts=self._children.options(),
        )
        rights = iam.RolePolicy(
            name,
            name=name,
            role=role.name,
            policy=json.dumps(policy),
            opts=self._children.options(),
        )
        return eks.PodIdentityAssociation(
            name,
            cluster_name=self._cluster,
            namespace=NAMESPACE,
            service_account=service_account,
            role_arn=role.arn,
            opts=self._children.options(depends_on=[rights]),
        )

    def _queue(self, name: str, events: Mapping[str, Any], *, seconds: int) -> None:
        queue = sqs.Queue(
            name,
            name=self._place.queue(name),
            message_retention_seconds=seconds,
            sqs_managed_sse_enabled=True,
            opts=self._children.options(),
        )
        rule = cloudwatch.EventRule(
            name,
            name=self._place.queue(name),
            description=f"Nodes of {self._place.name} that go: for {name}",
            event_pattern=json.dumps(events),
            opts=self._children.options(),
        )
        allowed = sqs.QueuePolicy(
            name,
            queue_url=queue.url,
            policy=pulumi.Output.all(queue.arn, rule.arn).apply(
                lambda seen: json.dumps(queue_policy(seen[0], seen[1], self._place.account))
            ),
            opts=self._children.options(),
        )
        cloudwatch.EventTarget(
            name,
            rule=rule.name,
            target_id=name,
            arn=queue.arn,
            opts=self._children.options(depends_on=[allowed]),
        )
