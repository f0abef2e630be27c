"""IAM documents: who may act as whom, and do what to which things. None grants all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from corral.settings.aws.texts import partition

Document = dict[str, Any]

VERSION = "2012-10-17"

KEY_USE = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncrypt*",
    "kms:GenerateDataKey*",
    "kms:DescribeKey",
)


def managed_policy(region: str, name: str) -> str:
    """The ARN of a policy that AWS keeps."""
    return f"arn:{partition(region)}:iam::aws:policy/{name}"


def access_policy(region: str, name: str) -> str:
    """The ARN of one of EKS' own access policies: what an access entry may do in a cluster."""
    return f"arn:{partition(region)}:eks::aws:cluster-access-policy/{name}"


def document(*statements: Document) -> Document:
    """A policy of these statements."""
    return {"Version": VERSION, "Statement": list(statements)}


def allow(
    actions: Sequence[str],
    *,
    resource: str | Sequence[str],
    condition: Mapping[str, Any] | None = None,
) -> Document:
    """One statement of an identity's policy."""
    return {
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": resource if isinstance(resource, str) else list(resource),
        **({"Condition": dict(condition)} if condition else {}),
    }


def service_trust(
    service: str, *, actions: Sequence[str] = ("sts:AssumeRole",), account: str = ""
) -> Document:
    """Only that service of AWS may act as the role; with `account`, on behalf of that one alone."""
    of_account = {"Condition": {"StringEquals": {"aws:SourceAccount": account}}} if account else {}
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": list(actions),
            **of_account,
        }
    )


def pod_identity_trust() -> Document:
    """EKS Pod Identity may give the role to pods, which it tags with cluster, namespace and
    service account."""
    return service_trust("pods.eks.amazonaws.com", actions=("sts:AssumeRole", "sts:TagSession"))


def flow_log_policy(log_group: str) -> Document:
    """What flow logs need of their log group (its ARN)."""
    return document(
        allow(
            (
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                "logs:DescribeLogStreams",
            ),
            resource=[log_group, f"{log_group}:*"],
        )
    )


def log_stream_policy(streams: Sequence[str]) -> Document:
    """What writes to these streams (their ARNs), which are there already, needs."""
    return document(allow(("logs:PutLogEvents",), resource=streams))


def secrets_policy(key: str) -> Document:
    """What the control plane needs of the key (its ARN) that encrypts Kubernetes secrets."""
    return document(
        allow(("kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"), resource=key)
    )


def volumes_use_policy(key: str, region: str) -> Document:
    """What the EBS driver needs of the key (its ARN) that encrypts volumes: to have EBS use it, and
    to let EBS go on using it for as long as a volume is attached."""
    by_ebs = {"kms:ViaService": f"ec2.{region}.amazonaws.com"}
    return document(
        allow(KEY_USE, resource=key, condition={"StringEquals": by_ebs}),
        allow(
            ("kms:CreateGrant",),
            resource=key,
            condition={
                "StringEquals": by_ebs,
                "Bool": {"kms:GrantIsForAWSResource": "true"},
            },
        ),
    )


def key_alias(account: str, region: str, cluster: str, name: str) -> str:
    """The ARN of the alias of a cluster's key of that name: known before the key is made."""
    return f"arn:{partition(region)}:kms:{region}:{account}:alias/{cluster}/{name}"


def endpoint_policy(service: str, account: str) -> Document:
    """The policy of a way to a service: for the account's own identities. Whoever brings keys of
    another account gets nothing out with them here."""
    return document(_by_own_identities(service, account))


def storage_endpoint_policy(account: str) -> Document:
    """The policy of the way to S3. Anybody may read: registries keep images' layers in buckets of
    theirs, and hand out signed addresses. Everything else is for the account's own identities."""
    return document(
        _by_own_identities("s3", account),
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"},
    )


def _by_own_identities(service: str, account: str) -> Document:
    return {
        "Effect": "Allow",
        "Principal": "*",
        "Action": f"{service}:*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": account}},
    }


def key_policy(account: str, region: str, *further: Document) -> Document:
    """A key's own policy: the account's identities as their policies say, and what comes further.
    In a key's policy `*` is that key."""
    owner = {
        "Sid": "Account",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition(region)}:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return document(owner, *further)


def logs_key_policy(account: str, region: str) -> Document:
    """The key of log groups: CloudWatch Logs uses it for the account's own groups."""
    arn = f"arn:{partition(region)}:logs:{region}:{account}:log-group:*"
    return key_policy(
        account,
        region,
        {
            "Sid": "Logs",
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{region}.amazonaws.com"},
            "Action": list(KEY_USE),
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn}},
        },
    )


def volumes_key_policy(account: str, region: str) -> Document:
    """The key of nodes' volumes: whoever in the account may use EBS in the region, by EBS alone.

    As AWS' own key for EBS has it. Auto Scaling starts instances under a role of its own, which a
    new account doesn't have yet: a key's policy can't name it before.
    """
    by_ebs = {
        "kms:CallerAccount": account,
        "kms:ViaService": f"ec2.{region}.amazonaws.com",
    }
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Resource": "*"}
    return key_policy(
        account,
        region,
        {
            **statement,
            "Sid": "Use",
            "Action": list(KEY_USE),
            "Condition": {"StringEquals": by_ebs},
        },
        {
            **statement,
            "Sid": "Attach",
            "Action": ["kms:CreateGrant"],
            "Condition": {
                "StringEquals": by_ebs,
                "Bool": {"kms:GrantIsForAWSResource": "true"},
            },
        },
    )
