"""The provider of a stack: one account, one region, whoever runs it."""

from __future__ import annotations

import pulumi
from pulumi_aws import (
    Provider,
    ProviderAssumeRoleArgs,
    ProviderDefaultTagsArgs,
    ProviderEndpointArgs,
)

from components.tags import stack_tags
from corral.settings.aws.account import Aws, Role


def aws_provider(
    name: str, aws: Aws, *, stack: str, opts: pulumi.ResourceOptions | None = None
) -> Provider:
    """The provider for everything of the stack in AWS.

    What it may touch stands in the provider, and so in Pulumi's state: `destroy` and `refresh`
    don't run this program, and are guarded all the same.
    """
    return Provider(
        name,
        region=aws.region,
        allowed_account_ids=[aws.account_id],
        assume_roles=[_assumed(aws.role, stack)] if aws.role else None,
        default_tags=ProviderDefaultTagsArgs(tags={**aws.tags, **stack_tags(stack)}),
        endpoints=[ProviderEndpointArgs(**aws.endpoints)] if aws.endpoints else None,
        # Elsewhere than at AWS, buckets have no host names of their own.
        s3_use_path_style=True if "s3" in aws.endpoints else None,
        opts=opts,
    )


def _assumed(role: Role, stack: str) -> ProviderAssumeRoleArgs:
    return ProviderAssumeRoleArgs(
        role_arn=role.arn,
        external_id=role.external_id,
        session_name=f"corral-{stack}"[:64],
        tags=dict(role.session_tags) or None,
    )
