"""Which AWS account a stack is in, and how corral gets into it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from corral.settings.aws.network import Network
from corral.settings.aws.pools import InstanceType
from corral.settings.aws.texts import (
    AccountId,
    ExternalId,
    Region,
    RoleArn,
    Service,
    TagKey,
    TagValue,
    Url,
)
from corral.settings.problems import Expected
from corral.settings.strict import Strict

HourlyPrice = Annotated[
    float,
    Field(gt=0, le=1000, allow_inf_nan=False),
    Expected("US dollars for one hour: more than 0 and at most 1000"),
]


class Role(Strict):
    """A role that is assumed for everything that the stack does."""

    arn: RoleArn
    """Its ARN."""
    external_id: Annotated[ExternalId | None, Field(alias="external-id")] = None
    """What its trust policy asks for, so that nobody else can have us act in that account. It is
    an identifier, not a secret."""
    session_tags: dict[TagKey, TagValue] = Field(alias="session-tags", default_factory=dict)
    """Tags of the session; conditions of policies and CloudTrail see them."""


class Aws(Strict):
    """The AWS account of a stack. Its provider refuses any other account, also for `destroy` and
    `refresh`, which don't run the program."""

    account_id: Annotated[AccountId, Field(alias="account-id")]
    """The one account that this stack may touch."""
    region: Region
    """Its region."""
    role: Role | None = None
    """A role to assume, for a customer's account; the caller's own identity when left out."""
    tags: dict[TagKey, TagValue] = Field(default_factory=dict)
    """Tags of everything that takes tags, besides corral's own."""
    endpoints: dict[Service, Url] = Field(default_factory=dict)
    """Other endpoints by service (`ec2`, `eks`, `iam` …): LocalStack or moto's server."""
    protect: bool = True
    """Whether what can't be brought back is protected: addresses that customers know, keys, the
    cluster, the network that all of it is in, audit and flow logs, tenants. Protected things have
    to be released one by one before they can be deleted."""
    network: Network
    """The network that the cluster is in."""
    prices: dict[InstanceType, HourlyPrice] = Field(default_factory=dict)
    """What an hour of an instance type costs in US dollars, where that isn't AWS' list price of
    us-east-1: in other regions, or by contract. Plans reckon with it; nothing is bought by it."""
