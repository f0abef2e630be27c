"""Roles, their policies, and instance profiles."""

from __future__ import annotations

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
