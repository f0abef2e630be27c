"""Roles, policies, instance profiles and identity providers."""

from __future__ import annotations

from typing import Any

from tests.cloud.adapters.adapter import Call, Made, adapts


@adapts("aws:iam/role:Role")
def role(call: Call) -> Made:
    iam = call.client("iam")
    call.given.only_provider("forceDetachPolicies")
    name = call.given.get("name", call.name)
    made = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=call.given["assumeRolePolicy"],
        **call.given.pascal("path", "description", "maxSessionDuration", "permissionsBoundary"),
        Tags=call.tag_list(),
    )["Role"]
    for inline in call.given.blocks("inlinePolicies"):
        iam.put_role_policy(
            RoleName=name, PolicyName=inline["name"], PolicyDocument=inline["policy"]
        )
    for arn in call.given.get("managedPolicyArns") or ():
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    return Made(id=name, outputs={"name": name, "arn": made["Arn"], "uniqueId": made["RoleId"]})


@adapts("aws:iam/policy:Policy")
def policy(call: Call) -> Made:
    name = call.given.get("name", call.name)
    made = call.client("iam").create_policy(
        PolicyName=name,
        PolicyDocument=call.given["policy"],
        **call.given.pascal("path", "description"),
        Tags=call.tag_list(),
    )["Policy"]
    return Made(id=made["Arn"], outputs={"arn": made["Arn"], "name": name})


@adapts("aws:iam/rolePolicy:RolePolicy")
def role_policy(call: Call) -> Made:
    name, owner = call.given.get("name", call.name), call.given["role"]
    call.client("iam").put_role_policy(
        RoleName=owner, PolicyName=name, PolicyDocument=call.given["policy"]
    )
    return Made(id=f"{owner}:{name}", outputs={"name": name})


@adapts("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
def attachment(call: Call) -> Made:
    owner, arn = call.given["role"], call.given["policyArn"]
    call.client("iam").attach_role_policy(RoleName=owner, PolicyArn=arn)
    return Made(id=f"{owner}/{arn}")


@adapts("aws:iam/instanceProfile:InstanceProfile")
def instance_profile(call: Call) -> Made:
    iam = call.client("iam")
    name = call.given.get("name", call.name)
    made = iam.create_instance_profile(
        InstanceProfileName=name, **call.given.pascal("path"), Tags=call.tag_list()
    )["InstanceProfile"]
    if (owner := call.given.get("role")) is not None:
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=owner)
    return Made(id=name, outputs={"name": name, "arn": made["Arn"]})


@adapts("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
def identity_provider(call: Call) -> Made:
    arguments: dict[str, Any] = call.given.renamed(
        {"url": "Url", "clientIdLists": "ClientIDList", "thumbprintLists": "ThumbprintList"}
    )
    made = call.client("iam").create_open_id_connect_provider(**arguments, Tags=call.tag_list())
    arn = made["OpenIDConnectProviderArn"]
    return Made(id=arn, outputs={"arn": arn})


@adapts("aws:iam/serviceLinkedRole:ServiceLinkedRole")
def service_linked_role(call: Call) -> Made:
    made = call.client("iam").create_service_linked_role(
        **call.given.renamed({"awsServiceName": "AWSServiceName", "customSuffix": "CustomSuffix"})
    )["Role"]
    return Made(id=made["Arn"], outputs={"arn": made["Arn"], "name": made["RoleName"]})
