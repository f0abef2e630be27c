"""IAM documents: of roles, keys, buckets, queues and endpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.cloud.running import World

VERSION: Final = "2012-10-17"
OWN_POLICY: Final = "Local"


def policies_grant_little(world: World) -> list[str]:
    """Every document parses and has the current version; none allows all actions or the inverse of
    some; a role is never allowed a whole service on everything; nobody trusts everybody."""
    wrong = []
    for owner, kind, document in _documents(world):
        try:
            parsed = json.loads(document) if isinstance(document, str) else document
            statements = _list(parsed["Statement"])
        except (ValueError, KeyError, TypeError) as error:
            wrong.append(f"{owner}: not a policy document ({error!r})")
            continue
        if parsed.get("Version") != VERSION:
            wrong.append(f"{owner}: Version isn't {VERSION}: variables in it would be plain text")
        for statement in statements:
            wrong += [f"{owner}: {what}" for what in _excess(kind, statement)]
    return wrong


def _excess(kind: str, statement: dict[str, Any]) -> Iterator[str]:
    if statement.get("Effect") not in {"Allow", "Deny"}:
        yield f"Effect is {statement.get('Effect')!r}"
    if statement.get("Effect") != "Allow":
        return
    actions = _list(statement.get("Action", []))
    if "NotAction" in statement or "NotResource" in statement or "NotPrincipal" in statement:
        yield "it allows all but something"
    if not actions:
        yield "it allows nothing"
    for action in actions:
        service, colon, name = action.partition(":")
        if action == "*" or service == "*" or (not colon and name == ""):
            yield f"it allows {action}"
        elif name == "*" and kind == "identity" and "*" in _list(statement.get("Resource")):
            yield f"it allows {action} on everything"
    unconditional = not statement.get("Condition")
    if kind in {"trust", "resource"} and unconditional and _anybody(statement.get("Principal")):
        yield "it trusts everybody"
    if kind == "trust" and "Resource" in statement:
        yield "a trust policy has no Resource"
    if kind == "identity" and "Principal" in statement:
        yield "a role's policy has no Principal"
    if kind == "identity" and not _list(statement.get("Resource")):
        yield "it names no resource"


def _anybody(principal: Any) -> bool:
    if isinstance(principal, dict):
        return any("*" in _list(value) for value in principal.values())
    return bool(principal == "*")


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _documents(world: World) -> Iterator[tuple[str, str, Any]]:
    """Owner, kind (trust, identity, resource, endpoint) and document of every policy."""
    account = world.account
    iam, kms, s3 = account.client("iam"), account.client("kms"), account.client("s3")
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        yield f"trust of role {name}", "trust", role["AssumeRolePolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            yield f"policy {policy} of role {name}", "identity", document
    for policy in iam.list_policies(Scope=OWN_POLICY)["Policies"]:
        version = iam.get_policy_version(
            PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"]
        )
        yield f"policy {policy['PolicyName']}", "identity", version["PolicyVersion"]["Document"]
    for one in world.executor.of("aws:kms/key:Key"):
        document = kms.get_key_policy(KeyId=one.id, PolicyName="default")["Policy"]
        yield f"policy of key {one.name}", "resource", document
    for bucket in s3.list_buckets()["Buckets"]:
        try:
            document = s3.get_bucket_policy(Bucket=bucket["Name"])["Policy"]
        except s3.exceptions.ClientError:
            continue
        yield f"policy of bucket {bucket['Name']}", "resource", document
    sqs = account.client("sqs")
    for one in world.executor.of("aws:sqs/queue:Queue"):
        kept = sqs.get_queue_attributes(QueueUrl=one.id, AttributeNames=["Policy"])
        if (policy := kept.get("Attributes", {}).get("Policy")) is not None:
            yield f"policy of queue {one.name}", "resource", policy
    for one in world.executor.of("aws:ec2/vpcEndpoint:VpcEndpoint"):
        if (policy := one.inputs.get("policy")) is not None:
            yield f"policy of endpoint {one.name}", "endpoint", policy
