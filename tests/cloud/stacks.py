"""The shipped stacks that are on AWS, and variations of them, built in moto."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, Final

import boto3  # type: ignore[import-untyped] # ships no types
import pytest
import yaml

from corral.commands.stacks import ORGANIZATION
from corral.settings.layers import parts
from corral.settings.stack import Settings as StackSettings
from corral.settings.stack_secrets import SECRETS_KEY, placeholders
from tests.cloud.executor import CloudExecutor
from tests.cloud.running import World, build, moto
from tests.project_copy import ROOT, copy_project

Settings = dict[str, Any]

BARE: Final = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
NOBODY: Final = json.dumps({"Version": "2012-10-17", "Statement": []})


def shipped() -> dict[str, Settings]:
    """Settings by stack, of all stack files that name an AWS account."""
    found = {}
    for file in sorted((ROOT / "stacks").glob("Pulumi.*.yaml")):
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]["corral:settings"]
        if "aws" in settings:
            found[file.name.split(".")[1]] = settings
    return found


DEV: Final = shipped()["dev"]


def varied(settings: Settings, **changes: Any) -> Settings:
    """The settings with other sections; those of `aws` are changed key by key."""
    copy = deepcopy(settings)
    copy["aws"] |= changes.pop("aws", {})
    return copy | changes


def configuration(settings: Settings) -> Mapping[str, str]:
    """What Pulumi hands to the program, with something in the place of each stack secret."""
    secrets = placeholders(StackSettings.model_validate(settings))
    return {"corral:settings": json.dumps(settings), SECRETS_KEY: json.dumps(dict(secrets))}


def surroundings(settings: Settings) -> Settings:
    """What a stack file takes for granted in its account, created there: administrators' roles, and
    a network of the owner's. Returned are the settings with moto's identifiers for it."""
    settings = deepcopy(settings)
    aws = settings["aws"]
    role = {"arn": f"arn:aws:iam::{aws['account-id']}:role/owner"}
    owner = boto3.client("sts", region_name=aws["region"], **BARE).assume_role(
        RoleArn=aws.get("role", role)["arn"], RoleSessionName="owner"
    )["Credentials"]
    keys = {
        "region_name": aws["region"],
        "aws_access_key_id": owner["AccessKeyId"],
        "aws_secret_access_key": owner["SecretAccessKey"],
        "aws_session_token": owner["SessionToken"],
    }
    for arn in settings["cluster"].get("administrators", ()):
        boto3.client("iam", **keys).create_role(
            RoleName=arn.rpartition("/")[2], AssumeRolePolicyDocument=NOBODY
        )
    if aws["network"]["kind"] == "existing":
        _network(boto3.client("ec2", **keys), aws)
    return settings


def _network(ec2: Any, aws: dict[str, Any]) -> None:
    """Creates the VPC and subnets that `aws` names, and puts their identifiers there."""
    network = aws["network"]
    network["vpc-id"] = ec2.create_vpc(CidrBlock=network["cidr"])["Vpc"]["VpcId"]
    ranges = IPv4Network(network["cidr"]).subnets(new_prefix=24)
    for zone in network["private-subnets"]:
        made = ec2.create_subnet(
            VpcId=network["vpc-id"],
            CidrBlock=str(next(ranges)),
            AvailabilityZone=f"{aws['region']}{zone}",
        )
        network["private-subnets"][zone] = made["Subnet"]["SubnetId"]


def built(directory: Path, stack: str, settings: Settings) -> World:
    """The stack's own program, run whole against the moto that is on.

    No API server answers at moto's endpoints: that admission is in force is awaited, and proven,
    on a real one elsewhere.
    """
    project = copy_project(directory / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("components.platform.await_enforcement", lambda _access: None)
        return _built_in_parts(project, stack, settings)


def _built_in_parts(project: Path, stack: str, settings: Settings) -> World:
    """All stacks of the settings, from the bottom up. The outputs are those of the first: what is
    in AWS."""
    executor, worlds = CloudExecutor(), list[World]()
    handed_over: dict[str, Any] = {}
    for part in parts(stack, settings.get("layers", "together")):
        world = build(
            project,
            stack=part.stack,
            config=configuration(settings),
            executor=executor,
            references=handed_over,
        )
        worlds.append(world)
        handed_over[f"{ORGANIZATION}/corral/{part.stack}"] = world.result.outputs
        if not world.result.complete:
            return world
    return worlds[0]


@contextmanager
def standing(directory: Path, stack: str, settings: Settings) -> Iterator[World]:
    """The built stack, in a moto that stays on for as long as the context lasts."""
    with moto():
        yield built(directory, stack, surroundings(settings))
