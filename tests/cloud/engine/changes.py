"""How an AWS resource is changed in place, for the inputs that tests change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.cloud.account import Account

Outputs = dict[str, Any]
Change = Callable[[Account, str, Mapping[str, Any], Mapping[str, Any]], Outputs]
"""Changes by id, state and new inputs; what of its outputs is different then."""


def _group(
    account: Account, name: str, _state: Mapping[str, Any], inputs: Mapping[str, Any]
) -> Outputs:
    template = inputs.get("launchTemplate")
    sent: dict[str, Any] = {"MinSize": inputs["minSize"], "MaxSize": inputs["maxSize"]}
    if template:
        sent["LaunchTemplate"] = {
            "LaunchTemplateId": template["id"],
            "Version": template["version"],
        }
    account.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=name, **sent)
    return {}


def _template(
    account: Account, found: str, state: Mapping[str, Any], inputs: Mapping[str, Any]
) -> Outputs:
    made = account.client("ec2").create_launch_template_version(
        LaunchTemplateId=found,
        SourceVersion=str(state["latestVersion"]),
        LaunchTemplateData={"UserData": inputs["userData"]},
    )
    return {"latestVersion": made["LaunchTemplateVersion"]["VersionNumber"]}


def _log_group(
    account: Account, name: str, _state: Mapping[str, Any], inputs: Mapping[str, Any]
) -> Outputs:
    account.client("logs").put_retention_policy(
        logGroupName=name, retentionInDays=inputs["retentionInDays"]
    )
    return {}


def _deletion_protection(
    account: Account, name: str, _state: Mapping[str, Any], inputs: Mapping[str, Any]
) -> Outputs:
    account.client("eks").update_cluster_config(
        name=name, deletionProtection=inputs["deletionProtection"]
    )
    return {}


CHANGES: Final[Mapping[tuple[str, str], Change]] = {
    ("aws:autoscaling/group:Group", "launchTemplate"): _group,
    ("aws:autoscaling/group:Group", "maxSize"): _group,
    ("aws:autoscaling/group:Group", "minSize"): _group,
    ("aws:cloudwatch/logGroup:LogGroup", "retentionInDays"): _log_group,
    ("aws:ec2/launchTemplate:LaunchTemplate", "userData"): _template,
    ("aws:eks/cluster:Cluster", "deletionProtection"): _deletion_protection,
}
"""By type and input. What isn't here fails: nothing is said of it."""
