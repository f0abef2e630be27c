"""The log group of containers and events, and who may write to it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, eks, iam

from components.aws.logs.names import STREAMS, log_group, stream_arn
from components.aws.policies import log_stream_policy, pod_identity_trust
from components.children import Children
from components.observability.logs.names import COLLECTOR
from components.scaling.names import ClusterPlace
from corral.settings.observability import NODES_NAMESPACE


@dataclass(frozen=True, kw_only=True)
class LogsArgs:
    """The cluster, and its name once it stands; how long logs are kept; the ARN of the key for
    logs."""

    place: ClusterPlace
    cluster: pulumi.Input[str]
    days: int
    key: pulumi.Input[str]
    protect: bool


class Logs(pulumi.ComponentResource):
    """One group with a stream for what the collectors of all nodes read, and their role: it may
    write to that stream, and neither read it nor make another."""

    ready: tuple[pulumi.Resource, ...]
    """What must stand before collectors start."""

    def __init__(
        self, name: str, args: LogsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:aws:Logs", name, None, opts)
        children = Children(parent=self)
        place = args.place
        group = cloudwatch.LogGroup(
            "containers",
            name=log_group(place.name),
            retention_in_days=args.days,
            kms_key_id=args.key,
            opts=children.options(protect=args.protect),  # what sandboxes did
        )
        streams = [
            cloudwatch.LogStream(
                stream, name=stream, log_group_name=group.name, opts=children.options()
            )
            for stream in STREAMS
        ]
        role = iam.Role(
            "collector",
            name=f"{place.name}-{COLLECTOR}",
            description=f"{COLLECTOR}, by Pod Identity",
            assume_role_policy=json.dumps(pod_identity_trust()),
            opts=children.options(),
        )
        rights = iam.RolePolicy(
            "collector",
            name="collector",
            role=role.name,
            policy=json.dumps(log_stream_policy([stream_arn(place, each) for each in STREAMS])),
            opts=children.options(),
        )
        association = eks.PodIdentityAssociation(
            "collector",
            cluster_name=args.cluster,
            namespace=NODES_NAMESPACE,
            service_account=COLLECTOR,
            role_arn=role.arn,
            opts=children.options(depends_on=[rights]),
        )
        self.ready = (association, *streams)
        self.register_outputs({})
