"""What watches a network: flow logs, and the resolver's own firewall behind ours."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, ec2, iam, route53

from components.aws.policies import flow_log_policy, service_trust
from components.children import Children

FLOW_LOG_INTERVAL = 60  # seconds; the other choice is ten minutes, in which an attacker is gone

THREATS = ("DNS_TUNNELING", "DGA")
"""What Route 53's DNS Firewall recognizes by the queries themselves, without a list of names."""

FIRST_PRIORITY = 101  # up to 100 belong to Firewall Manager


@dataclass(frozen=True, kw_only=True)
class GuardsArgs:
    """A VPC and its account, how long its flow logs are kept and whether they are protected, and
    the ARN of the key that encrypts them."""

    name: str
    account: str
    vpc_id: pulumi.Input[str]
    flow_log_days: int
    logs_key: pulumi.Input[str]
    protect: bool


class Guards(pulumi.ComponentResource):
    """Flow logs of all traffic, and a DNS firewall that refuses tunnels.

    Sandboxes don't reach the VPC's resolver at all. Whatever else runs on a node does.
    """

    flow_logs: pulumi.Output[str]
    """Name of the log group."""

    def __init__(
        self, name: str, args: GuardsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:aws:Guards", name, None, opts)
        self._children = Children(parent=self)
        self.flow_logs = self._flow_logs(args)
        self._firewall(args)
        self.register_outputs({"flow_logs": self.flow_logs})

    def _flow_logs(self, args: GuardsArgs) -> pulumi.Output[str]:
        group = cloudwatch.LogGroup(
            "flow",
            name=f"/corral/{args.name}/flow",
            retention_in_days=args.flow_log_days,
            kms_key_id=args.logs_key,
            opts=self._children.options(protect=args.protect),
        )
        role = iam.Role(
            "flow",
            name=f"{args.name}-flow-logs",
            description="Writes the flow logs of a VPC",
            # The service acts for whoever asks it: only for this account as this role.
            assume_role_policy=json.dumps(
                service_trust("vpc-flow-logs.amazonaws.com", account=args.account)
            ),
            opts=self._children.options(),
        )
        policy = iam.RolePolicy(
            "flow",
            name="write",
            role=role.name,
            policy=group.arn.apply(lambda arn: json.dumps(flow_log_policy(arn))),
            opts=self._children.options(),
        )
        ec2.FlowLog(
            "flow",
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=FLOW_LOG_INTERVAL,
            tags={"Name": args.name},
            # Without the right to write, what is seen first is lost.
            opts=self._children.options(depends_on=[policy]),
        )
        return group.name

    def _firewall(self, args: GuardsArgs) -> None:
        rules = route53.ResolverFirewallRuleGroup(
            "dns", name=args.name, opts=self._children.options()
        )
        for place, threat in enumerate(THREATS):
            route53.ResolverFirewallRule(
                threat.lower().replace("_", "-"),
                name=f"{args.name}-{threat.lower().replace('_', '-')}",
                firewall_rule_group_id=rules.id,
                priority=FIRST_PRIORITY + place,
                dns_threat_protection=threat,
                # Only what is most certain: a false alarm here stops a node's own work.
                confidence_threshold="HIGH",
                action="BLOCK",
                block_response="NXDOMAIN",
                opts=self._children.options(),
            )
        route53.ResolverFirewallRuleGroupAssociation(
            "dns",
            name=args.name,
            firewall_rule_group_id=rules.id,
            vpc_id=args.vpc_id,
            priority=FIRST_PRIORITY,
            opts=self._children.options(),
        )
