"""Whether IAM lets the stack's identity do what its program will ask for.

AWS' own simulation is asked. It judges the identity's policies, its permissions boundary and the
organization's policies. It doesn't know policies of a session, of resources (keys, above all) or
of endpoints, nor most of what conditions ask about; where those decide, only `up` can tell.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from corral.aws_account.errors import Refused
from corral.preflight.aws.actions import actions
from corral.preflight.aws.ground import Entry, Ground, batches
from corral.preflight.finding import Finding, failure, ok, warning

AT_ONCE = 50
"""Actions in one question."""

LISTED = 12

LIMITS = "it knows no session policies, no policies of keys and endpoints, and few conditions"


def look(ground: Ground) -> Iterator[Finding]:
    """What is denied, what depends on conditions, and how far the rest holds."""
    principal = _principal(ground)
    if principal is None:
        yield warning(
            f"rights of {ground.account.identity.arn} can't be simulated",
            why="IAM simulates users and roles, neither root nor federated sessions",
            fix="use a role, or find out by `up`",
        )
        return
    wanted = actions(resource.type for resource in ground.plan)
    judged = _simulated(ground, principal, wanted)
    denied = [one for one in judged if one["EvalDecision"] != "allowed"]
    # On all things of a kind they are denied. A role with least rights may have them on its own.
    own = _simulated_on_own(ground, principal, [one["EvalActionName"] for one in denied])
    denied = [one for one in denied if not own.get(one["EvalActionName"])]
    yield from _told(denied, principal)
    if len(denied) < len(wanted):
        yield ok(
            f"{len(wanted) - len(denied)} of {len(wanted)} actions of IAM allowed, by simulation "
            f"({LIMITS})"
        )


def _told(denied: Sequence[Entry], principal: str) -> Iterator[Finding]:
    unclear = [one for one in denied if one.get("MissingContextValues")]
    certain = [one for one in denied if one not in unclear]
    above = [one for one in certain if _from_above(one)]
    plain = [one for one in certain if one not in above]
    if plain:
        yield failure(
            f"not allowed: {_names(plain)}",
            why="`up` or `destroy` would stop at the first of them",
            fix=f"allow them to {principal}",
        )
    if above:
        yield failure(
            f"denied from above: {_names(above)}",
            why="a permissions boundary or a policy of the organization denies it, whatever the "
            "role's own policies say",
            fix="ask whoever keeps these",
        )
    if unclear:
        keys = sorted({key for one in unclear for key in one["MissingContextValues"]})
        yield warning(
            f"not allowed without more being known: {_names(unclear)}",
            why=f"policies ask for {', '.join(keys)}, which a simulation can't know",
            fix="nothing, if the policies are meant so; `up` will tell",
        )


def _from_above(one: Entry) -> bool:
    organization = one.get("OrganizationsDecisionDetail") or {}
    boundary = one.get("PermissionsBoundaryDecisionDetail") or {}
    return (
        organization.get("AllowedByOrganizations") is False
        or boundary.get("AllowedByPermissionsBoundary") is False
    )


def _names(entries: Sequence[Entry]) -> str:
    names = sorted(entry["EvalActionName"] for entry in entries)
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")


def _simulated(
    ground: Ground, principal: str, wanted: Sequence[str], *, on: Sequence[str] = ()
) -> list[dict[str, Any]]:
    region = {
        "ContextKeyName": "aws:RequestedRegion",
        "ContextKeyType": "string",
        "ContextKeyValues": [ground.aws.region],
    }
    things = {"ResourceArns": list(on)} if on else {}
    return [
        result
        for some in batches(wanted, AT_ONCE)
        for result in ground.account.every(
            "iam",
            "simulate_principal_policy",
            "EvaluationResults",
            PolicySourceArn=principal,
            ActionNames=some,
            ContextEntries=[region],
            **things,
        )
    ]


def _simulated_on_own(ground: Ground, principal: str, denied: Sequence[str]) -> dict[str, bool]:
    """Of actions, whether they are allowed on a thing that is called as the stack's own are."""
    allowed: dict[str, bool] = {}
    for service, arns in _own_things(ground).items():
        some = [action for action in denied if action.startswith(f"{service}:")]
        for result in _simulated(ground, principal, some, on=arns):
            specific = result.get("ResourceSpecificResults") or []
            decisions = [one["EvalResourceDecision"] for one in specific]
            allowed[result["EvalActionName"]] = "allowed" in (decisions or [result["EvalDecision"]])
    return allowed


def _own_things(ground: Ground) -> dict[str, list[str]]:
    """ARNs of services whose policies commonly name things, as the program names them."""
    arn, name = ground.account.identity.arn.split(":")[1], ground.cluster.name
    here = f"{ground.aws.region}:{ground.account.identity.account}"
    everywhere = f":{ground.account.identity.account}"
    return {
        "eks": [
            f"arn:{arn}:eks:{here}:cluster/{name}",
            f"arn:{arn}:eks:{here}:addon/{name}/coredns/id",
            f"arn:{arn}:eks:{here}:access-entry/{name}/role/{everywhere[1:]}/{name}-node/id",
            f"arn:{arn}:eks:{here}:podidentityassociation/{name}/id",
        ],
        "iam": [
            f"arn:{arn}:iam:{everywhere}:role/{name}-node",
            f"arn:{arn}:iam:{everywhere}:instance-profile/{name}-node",
            f"arn:{arn}:iam:{everywhere}:policy/{name}-node",
            f"arn:{arn}:iam:{everywhere}:role/aws-service-role/eks.amazonaws.com/"
            "AWSServiceRoleForAmazonEKS",
        ],
        "logs": [
            f"arn:{arn}:logs:{here}:log-group:/aws/eks/{name}/cluster",
            f"arn:{arn}:logs:{here}:log-group:/corral/{name}/flow",
        ],
        "kms": [f"arn:{arn}:kms:{here}:alias/{name}/secrets", f"arn:{arn}:kms:{here}:key/id"],
        "sqs": [f"arn:{arn}:sqs:{here}:{name}-karpenter"],
        "events": [f"arn:{arn}:events:{here}:rule/{name}-karpenter"],
        "autoscaling": [
            f"arn:{arn}:autoscaling:{here}:autoScalingGroup:id:autoScalingGroupName/{name}-system"
        ],
    }


def _principal(ground: Ground) -> str | None:
    """The user or role whose policies count; None where IAM can't simulate it."""
    arn = ground.account.identity.arn
    head, _, rest = arn.partition(":sts:")
    if ":user/" in arn or ":role/" in arn:
        return arn
    if not rest.startswith(f":{ground.account.identity.account}:assumed-role/"):
        return None
    name = rest.split("/")[1]
    try:
        # A role may have a path, which the session's ARN doesn't tell.
        found: str = ground.account.ask("iam", "get_role", RoleName=name)["Role"]["Arn"]
    except Refused as error:
        if not error.denied:
            raise
        return f"{head}:iam::{ground.account.identity.account}:role/{name}"
    return found
