"""Security groups and their rules, without EC2's default egress rule, as the provider does."""

from __future__ import annotations

from typing import Any

from tests.cloud.adapters.adapter import Call, Made, adapts
from tests.cloud.given import Given


@adapts("aws:ec2/securityGroup:SecurityGroup")
def security_group(call: Call) -> Made:
    ec2 = call.client("ec2")
    call.given.only_provider("revokeRulesOnDelete")
    name = call.given.get("name", call.name)
    found = ec2.create_security_group(
        GroupName=name,
        Description=call.given.get("description", "Managed by Pulumi"),
        **call.given.pascal("vpcId"),
        TagSpecifications=call.specifications("security-group"),
    )["GroupId"]
    _replace_rules(call, found)
    return Made(
        id=found,
        outputs={
            "name": name,
            "arn": call.account.arn("ec2", f"security-group/{found}"),
            "ownerId": call.account.id,
        },
    )


@adapts("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
def default_security_group(call: Call) -> Made:
    [group] = call.client("ec2").describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [call.given["vpcId"]]},
            {"Name": "group-name", "Values": ["default"]},
        ]
    )["SecurityGroups"]
    found = group["GroupId"]
    if tags := call.tag_list():
        call.client("ec2").create_tags(Resources=[found], Tags=tags)
    _replace_rules(call, found)
    return Made(id=found, outputs={"arn": call.account.arn("ec2", f"security-group/{found}")})


@adapts("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
def ingress_rule(call: Call) -> Made:
    given = call.given
    about = given.renamed({"description": "Description"})
    permission = given.pascal("ipProtocol", "fromPort", "toPort")
    if (cidr := given.get("cidrIpv4")) is not None:
        permission["IpRanges"] = [{"CidrIp": cidr, **about}]
    if (cidr := given.get("cidrIpv6")) is not None:
        permission["Ipv6Ranges"] = [{"CidrIpv6": cidr, **about}]
    if (group := given.get("referencedSecurityGroupId")) is not None:
        permission["UserIdGroupPairs"] = [{"GroupId": group, **about}]
    if (prefixes := given.get("prefixListId")) is not None:
        permission["PrefixListIds"] = [{"PrefixListId": prefixes, **about}]
    made = call.client("ec2").authorize_security_group_ingress(
        GroupId=given["securityGroupId"],
        IpPermissions=[permission],
        TagSpecifications=call.specifications("security-group-rule"),
    )
    found = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    return Made(
        id=found,
        outputs={
            "securityGroupRuleId": found,
            "arn": call.account.arn("ec2", f"security-group-rule/{found}"),
        },
    )


def _replace_rules(call: Call, group: str) -> None:
    ec2 = call.client("ec2")
    [standing] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    if standing["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=standing["IpPermissions"])
    if standing["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(
            GroupId=group, IpPermissions=standing["IpPermissionsEgress"]
        )
    for rule in call.given.blocks("ingress"):
        ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[_permission(rule, own=group)]
        )
    for rule in call.given.blocks("egress"):
        ec2.authorize_security_group_egress(
            GroupId=group, IpPermissions=[_permission(rule, own=group)]
        )


def _permission(rule: Given, *, own: str) -> dict[str, Any]:
    about = rule.renamed({"description": "Description"})
    groups = [*(rule.get("securityGroups") or ())]
    if rule.get("self"):
        groups.append(own)
    return {
        "IpProtocol": rule["protocol"],
        "FromPort": rule["fromPort"],
        "ToPort": rule["toPort"],
        "IpRanges": [{"CidrIp": cidr, **about} for cidr in rule.get("cidrBlocks") or ()],
        "Ipv6Ranges": [{"CidrIpv6": cidr, **about} for cidr in rule.get("ipv6CidrBlocks") or ()],
        "PrefixListIds": [
            {"PrefixListId": found, **about} for found in rule.get("prefixListIds") or ()
        ],
        "UserIdGroupPairs": [{"GroupId": group, **about} for group in groups],
    }
