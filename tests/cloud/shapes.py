"""Types that moto lacks: their call is checked against botocore's shapes, and no more is claimed.

The identifiers that such a resource gives on are invented, in the form that AWS uses, so that what
depends on it can still be created.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from botocore.validate import ParamValidator  # type: ignore[import-untyped] # ships no types

from tests.cloud.adapters.adapter import Call, Made


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a type that moto lacks would be created."""

    service: str
    operation: str
    """botocore's name of the operation: `CreateAddon`."""
    parameters: Callable[[Call], dict[str, Any]]
    made: Callable[[Call, dict[str, Any]], Made]


class WrongShape(Exception):
    """botocore wouldn't send the call."""


def only_shaped(call: Call, shape: Shape) -> Made:
    """Checks the call's parameters. WrongShape names those that botocore refuses."""
    parameters = shape.parameters(call)
    model = call.client(shape.service).meta.service_model.operation_model(shape.operation)
    report = ParamValidator().validate(parameters, model.input_shape)
    if report.has_errors():
        raise WrongShape(f"{shape.service} {shape.operation}: {report.generate_report()}")
    return shape.made(call, parameters)


def invented(prefix: str, call: Call) -> str:
    """An identifier that is the same in each run."""
    return f"{prefix}-0{zlib.crc32(f'{call.type}{call.name}'.encode()):016x}"


def _addon(call: Call) -> dict[str, Any]:
    given = call.given
    given.only_provider("preserve", "resolveConflictsOnUpdate")
    parameters = given.same(
        "clusterName", "addonName", "addonVersion", "serviceAccountRoleArn", "configurationValues"
    )
    parameters |= given.renamed({"resolveConflictsOnCreate": "resolveConflicts"})
    if identities := given.blocks("podIdentityAssociations"):
        parameters["podIdentityAssociations"] = [
            identity.same("roleArn", "serviceAccount") for identity in identities
        ]
    return {**parameters, "tags": call.tags()}


def _access_entry(call: Call) -> dict[str, Any]:
    parameters = call.given.same("clusterName", "principalArn", "type")
    parameters |= call.given.renamed(
        {"userName": "username", "kubernetesGroups": "kubernetesGroups"}
    )
    return {**parameters, "tags": call.tags()}


def _access_policy(call: Call) -> dict[str, Any]:
    scope = call.given.block("accessScope")
    return {
        **call.given.same("clusterName", "principalArn", "policyArn"),
        "accessScope": scope.same("type", "namespaces") if scope else {},
    }


def _pod_identity(call: Call) -> dict[str, Any]:
    parameters = call.given.same("clusterName", "namespace", "serviceAccount", "roleArn")
    return {**parameters, "tags": call.tags()}


def _reservation(call: Call) -> dict[str, Any]:
    return {
        **call.given.pascal(
            "instanceType",
            "instancePlatform",
            "availabilityZone",
            "instanceCount",
            "instanceMatchCriteria",
            "endDateType",
            "ebsOptimized",
            "tenancy",
        ),
        "TagSpecifications": call.specifications("capacity-reservation"),
    }


def _named(call: Call) -> dict[str, Any]:
    return {
        "CreatorRequestId": call.name,
        "Name": call.given.get("name", call.name),
        "Tags": call.tag_list(),
    }


def _firewall_rule(call: Call) -> dict[str, Any]:
    given = call.given
    return {
        "CreatorRequestId": call.name,
        "Name": given.get("name", call.name),
        **given.renamed(
            {
                "firewallRuleGroupId": "FirewallRuleGroupId",
                "firewallDomainListId": "FirewallDomainListId",
                "firewallDomainRedirectionAction": "FirewallDomainRedirectionAction",
                "priority": "Priority",
                "action": "Action",
                "blockResponse": "BlockResponse",
                "dnsThreatProtection": "DnsThreatProtection",
                "confidenceThreshold": "ConfidenceThreshold",
            }
        ),
    }


def _firewall_association(call: Call) -> dict[str, Any]:
    return {
        **_named(call),
        **call.given.pascal("firewallRuleGroupId", "vpcId", "priority", "mutationProtection"),
    }


def _placed(prefix: str, service: str, resource: str) -> Callable[[Call, dict[str, Any]], Made]:
    def made(call: Call, _parameters: dict[str, Any]) -> Made:
        found = invented(prefix, call)
        return Made(id=found, outputs={"arn": call.account.arn(service, f"{resource}/{found}")})

    return made


def _within_cluster(*keys: str) -> Callable[[Call, dict[str, Any]], Made]:
    def made(call: Call, parameters: dict[str, Any]) -> Made:
        found = ":".join(str(parameters[key]) for key in keys)
        return Made(id=found, outputs={"arn": call.account.arn("eks", found.replace(":", "/"))})

    return made


SHAPES: Final = {
    "aws:eks/addon:Addon": Shape(
        service="eks",
        operation="CreateAddon",
        parameters=_addon,
        made=_within_cluster("clusterName", "addonName"),
    ),
    "aws:eks/accessEntry:AccessEntry": Shape(
        service="eks",
        operation="CreateAccessEntry",
        parameters=_access_entry,
        made=_within_cluster("clusterName", "principalArn"),
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": Shape(
        service="eks",
        operation="AssociateAccessPolicy",
        parameters=_access_policy,
        made=_within_cluster("clusterName", "principalArn", "policyArn"),
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": Shape(
        service="eks",
        operation="CreatePodIdentityAssociation",
        parameters=_pod_identity,
        made=_within_cluster("clusterName", "namespace", "serviceAccount"),
    ),
    "aws:ec2/capacityReservation:CapacityReservation": Shape(
        service="ec2",
        operation="CreateCapacityReservation",
        parameters=_reservation,
        made=_placed("cr", "ec2", "capacity-reservation"),
    ),
    "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": Shape(
        service="route53resolver",
        operation="CreateFirewallRuleGroup",
        parameters=_named,
        made=_placed("rslvr-frg", "route53resolver", "firewall-rule-group"),
    ),
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": Shape(
        service="route53resolver",
        operation="CreateFirewallRule",
        parameters=_firewall_rule,
        made=_placed("rslvr-fr", "route53resolver", "firewall-rule"),
    ),
    "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation": Shape(
        service="route53resolver",
        operation="AssociateFirewallRuleGroup",
        parameters=_firewall_association,
        made=_placed("rslvr-frgassoc", "route53resolver", "firewall-rule-group-association"),
    ),
}
"""By type token."""
