"""Kinds of text that AWS has rules for."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Annotated

from pydantic import AfterValidator, Field

from corral.settings.problems import Expected, NotAllowedError, nearest, one_of

ACCOUNT_PATTERN = r"^[0-9]{12}$"
REGION_PATTERN = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"
ROLE_PATTERN = r"^arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$"
CIDR_PATTERN = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$"
URL_PATTERN = r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?$"
TAG_PATTERN = r"^[A-Za-z0-9_ .:/=+@-]*$"
EXTERNAL_ID_PATTERN = r"^[A-Za-z0-9_+=,.@:/-]+$"


def partition(region: str) -> str:
    """The part of AWS that a region is in, as ARNs name it."""
    return {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}.get(
        next((prefix for prefix in ("cn-", "us-gov-") if region.startswith(prefix)), ""), "aws"
    )


def parse_cidr(value: str) -> IPv4Network:
    """The network that the text names. Raises NotAllowedError where it has host bits or is none."""
    try:
        return IPv4Network(value)
    except (AddressValueError, NetmaskValueError):
        fix = "write four numbers from 0 to 255, a slash and 0 to 32: 10.40.0.0/16"
    except ValueError:
        fix = f"write its first address: {IPv4Network(value, strict=False)}"
    raise NotAllowedError(rule="an IPv4 network in CIDR notation", fix=fix)


def _cidr(value: str) -> str:
    if not re.fullmatch(CIDR_PATTERN, value):
        raise NotAllowedError(
            rule="an IPv4 network in CIDR notation",
            fix="write four numbers, a slash and the length of the prefix: 10.40.0.0/16",
        )
    parse_cidr(value)
    return value


def _tag_key(value: str) -> str:
    if value.startswith("aws:"):
        raise NotAllowedError(
            rule="a key of your own: those that begin with aws: are AWS' own", fix="rename the tag"
        )
    return value


Cidr = Annotated[
    str,
    Field(json_schema_extra={"pattern": CIDR_PATTERN}),
    AfterValidator(_cidr),
    Expected("an IPv4 network in CIDR notation, such as 10.40.0.0/16"),
]
AccountId = Annotated[
    str,
    Field(pattern=ACCOUNT_PATTERN),
    Expected("the twelve digits of an AWS account, in quotes"),
]
Region = Annotated[
    str, Field(pattern=REGION_PATTERN), Expected("a region of AWS, such as eu-west-1")
]
RoleArn = Annotated[
    str,
    Field(pattern=ROLE_PATTERN, max_length=600),
    Expected("the ARN of an IAM role: arn:aws:iam::<account>:role/<name>"),
]
ZoneLetter = Annotated[
    str, Field(pattern=r"^[a-f]$"), Expected("the letter of an availability zone, a to f")
]
VpcId = Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$"), Expected("the id of a VPC: vpc-…")]
SubnetId = Annotated[
    str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$"), Expected("the id of a subnet: subnet-…")
]
Url = Annotated[
    str,
    Field(pattern=URL_PATTERN, max_length=300),
    Expected("http:// or https://, a host and perhaps a port: http://localhost:4566"),
]
ExternalId = Annotated[
    str,
    Field(pattern=EXTERNAL_ID_PATTERN, min_length=2, max_length=1224),
    Expected("an external id: letters, digits and +=,.@:/- without spaces, at least two"),
]
SERVICES = (
    *("autoscaling", "ec2", "eks", "events", "iam", "kms", "logs", "route53resolver", "s3", "sqs"),
    *("ssm", "sts"),
)
"""AWS' services that a stack talks to, as the provider calls their endpoints."""


def _service(value: str) -> str:
    if value not in SERVICES:
        raise NotAllowedError(
            rule=f"one of {', '.join(SERVICES)}",
            fix=f"write {nearest(value, SERVICES) or 'one of these'}",
        )
    return value


Service = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9]*$"), AfterValidator(_service), one_of(SERVICES)
]
TagKey = Annotated[
    str,
    Field(pattern=TAG_PATTERN, min_length=1, max_length=128),
    AfterValidator(_tag_key),
    Expected("the key of a tag: at most 128 letters, digits, spaces and _.:/=+@-"),
]
TagValue = Annotated[
    str,
    Field(pattern=TAG_PATTERN, max_length=256),
    Expected("the value of a tag: at most 256 letters, digits, spaces and _.:/=+@-"),
]
