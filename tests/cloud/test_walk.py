"""The walk finds nothing wrong with a good program, and each thing that is broken in it."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

import pytest

from tests.cloud.running import build, moto, write_program
from tests.cloud.walk import CHECKS, findings

GOOD = (Path(__file__).parent / "programs" / "foundation.py").read_text(encoding="utf-8")

ROUTES = "routes lead where they should"
OPEN = "nothing opens the world"
ENCRYPTED = "everything is encrypted"
POLICIES = "policies parse and grant little"
NODES = "nodes are guarded"
TAGS = "everything is tagged"
EXIST = "identifiers exist"

LAST = 'pulumi.export("cluster"'
RULE = 'security_group_id=endpoints.id,\n    cidr_ipv4="10.0.0.0/16"'
WITHOUT_PREFIX = """aws.ec2.Subnet("lost", vpc_id=vpc.id, cidr_block="10.0.99.0/24", opts=at)
"""

BROKEN: dict[str, tuple[str, str, str, str]] = {
    "a private subnet leads to the internet gateway": (
        "nat_gateway_id=nats[zone].id",
        "gateway_id=gateway.id",
        ROUTES,
        "which is public",
    ),
    "all zones lead to one NAT": (
        "nat_gateway_id=nats[zone].id",
        'nat_gateway_id=nats["a"].id',
        ROUTES,
        "in another zone",
    ),
    "a NAT stands in a private subnet": (
        'destination_cidr_block="0.0.0.0/0",\n    gateway_id=gateway.id',
        'destination_cidr_block="8.8.8.8/32",\n    gateway_id=gateway.id',
        ROUTES,
        "no way to the internet",
    ),
    "a subnet without a table of its own": (LAST, WITHOUT_PREFIX + LAST, ROUTES, "main one"),
    "no gateway endpoint for S3": (
        'service_name="com.amazonaws.eu-west-1.s3"',
        'service_name="com.amazonaws.eu-west-1.dynamodb"',
        ROUTES,
        "S3 endpoint",
    ),
    "the gateway belongs to another VPC": (
        'aws.ec2.InternetGateway("gateway", vpc_id=vpc.id, opts=at)',
        'aws.ec2.InternetGateway("gateway", vpc_id=aws.ec2.Vpc('
        '"other", cidr_block="10.9.0.0/16", opts=at).id, opts=at)',
        ROUTES,
        "isn't attached to its VPC",
    ),
    "a rule for the world": (RULE, RULE.replace("10.0.0.0/16", "0.0.0.0/0"), OPEN, "0.0.0.0/0 in"),
    "a rule for half the world": (
        RULE,
        RULE.replace("10.0.0.0/16", "128.0.0.0/1"),
        OPEN,
        "128.0.0.0/1 in",
    ),
    "a rule for the world of IPv6": (
        RULE,
        "security_group_id=endpoints.id,\n    cidr_ipv6='::/0'",
        OPEN,
        "::/0 in",
    ),
    "the default group as EC2 leaves it": (
        'aws.ec2.DefaultSecurityGroup("closed", vpc_id=vpc.id, opts=at)\n',
        "",
        OPEN,
        "has rules",
    ),
    "subnets that give public addresses": (
        'cidr_block=f"10.0.1{number}.0/24"',
        'map_public_ip_on_launch=True, cidr_block=f"10.0.1{number}.0/24"',
        OPEN,
        "public addresses",
    ),
    "a public API server": (
        "endpoint_public_access=False",
        "endpoint_public_access=True",
        OPEN,
        "API server",
    ),
    "a bucket that can be made public": (
        "block_public_policy=True",
        "block_public_policy=False",
        OPEN,
        "made public",
    ),
    "a disk that isn't encrypted": ('encrypted="true"', 'encrypted="false"', ENCRYPTED, "xvda"),
    "a log group without a key": (
        "retention_in_days=30, kms_key_id=key.arn",
        "retention_in_days=30",
        ENCRYPTED,
        "no key",
    ),
    "logs that are kept for ever": (
        "retention_in_days=30, kms_key_id=key.arn",
        "kms_key_id=key.arn",
        ENCRYPTED,
        "for ever",
    ),
    "a key that never rotates": (
        "enable_key_rotation=True",
        "enable_key_rotation=False",
        ENCRYPTED,
        "rotates",
    ),
    "secrets under a key of nobody's": (
        "ClusterEncryptionConfigProviderArgs(key_arn=key.arn)",
        'ClusterEncryptionConfigProviderArgs(key_arn="arn:aws:kms:eu-west-1:999999999999:key/a")',
        ENCRYPTED,
        "key of the stack",
    ),
    "a control plane that doesn't log": ('"audit", ', "", ENCRYPTED, "doesn't log audit"),
    "a policy that allows everything": (
        '"Action": ["logs:CreateLogStream", "logs:PutLogEvents"]',
        '"Action": "*"',
        POLICIES,
        "allows *",
    ),
    "a policy that allows all services": (
        '"Action": ["logs:CreateLogStream", "logs:PutLogEvents"]',
        '"Action": ["*:*"]',
        POLICIES,
        "allows *:*",
    ),
    "a policy that allows a service on everything": (
        '"Action": ["logs:CreateLogStream", "logs:PutLogEvents"],\n'
        '                        "Resource": f"{arn}:*"',
        '"Action": ["logs:*"], "Resource": "*"',
        POLICIES,
        "logs:* on everything",
    ),
    "a policy of the old version": (
        'key_policy = {\n    "Version": "2012-10-17"',
        'key_policy = {\n    "Version": "2008-10-17"',
        POLICIES,
        "Version",
    ),
    "a key for everybody": (
        '{"AWS": f"arn:aws:iam::{ACCOUNT}:root"}',
        '{"AWS": "*"}',
        POLICIES,
        "everybody",
    ),
    "the first metadata service": (
        'http_tokens="required"',
        'http_tokens="optional"',
        NODES,
        "first metadata service",
    ),
    "two hops to the metadata service": (
        "http_put_response_hop_limit=1",
        "http_put_response_hop_limit=2",
        NODES,
        "hop limit",
    ),
    "an SSH key": ('image_id="ami-', 'key_name="me", image_id="ami-', NODES, "SSH"),
    "user data that doesn't fit": ('b"#!/bin/sh\\n"', 'b"#" * 16385', NODES, "16385"),
    "a profile without a role": (", role=node_role.name, opts=at)", ", opts=at)", NODES, "no role"),
    "nodes in the default group": (
        "    vpc_security_group_ids=[cluster.vpc_config.cluster_security_group_id],\n",
        "",
        NODES,
        "default security group",
    ),
    "a template version that floats": (
        "version=template.latest_version.apply(str)",
        'version="$Latest"',
        NODES,
        "floats",
    ),
    "events that their queue doesn't take": (
        '"Condition": {"ArnEquals": {"aws:SourceArn": seen[1]}}',
        '"Condition": {"ArnEquals": {"aws:SourceArn": seen[0]}}',
        NODES,
        "doesn't take its events",
    ),
    "events that go nowhere": (
        'aws.cloudwatch.EventTarget("events", rule=rule.name, arn=queue.arn, opts=at)\n',
        "",
        NODES,
        "go nowhere",
    ),
    "a queue that isn't encrypted": (
        "sqs_managed_sse_enabled=True",
        "sqs_managed_sse_enabled=False",
        ENCRYPTED,
        "queue events isn't encrypted",
    ),
    "a queue for everybody": (
        '"Principal": {"Service": "events.amazonaws.com"},\n'
        '                        "Action": "sqs:SendMessage",\n'
        '                        "Resource": seen[0],\n'
        '                        "Condition": {"ArnEquals": {"aws:SourceArn": seen[1]}},\n',
        '"Principal": "*", "Action": "sqs:SendMessage", "Resource": seen[0],\n',
        POLICIES,
        "policy of queue events: it trusts everybody",
    ),
    "a provider without default tags": (
        "    default_tags=aws.ProviderDefaultTagsArgs(tags=TAGS),\n",
        "",
        TAGS,
        "no default tags",
    ),
    "groups without tags": (
        "for name, value in TAGS.items()",
        "for name, value in {}.items()",
        TAGS,
        "group corral-dev-pool",
    ),
    "disks without tags": (
        'for kind in ("instance", "volume")',
        'for kind in ("instance",)',
        TAGS,
        "each volume",
    ),
    "a policy about a role that isn't there": (
        '"Resource": f"{arn}:*"',
        '"Resource": "arn:aws:iam::123456789012:role/gone"',
        EXIST,
        "role/gone",
    ),
}


def walked(directory: Path, source: str) -> dict[str, list[str]]:
    with moto():
        world = build(write_program(directory, source))
        assert world.result.complete, world.explained()
        return findings(world)


def test_nothing_is_wrong_with_a_good_program(tmp_path: Path) -> None:
    assert walked(tmp_path, GOOD) == {}


def rounds() -> list[list[str]]:
    """Cases that are broken in one program at once: of each check at most one, so that what a check
    finds is due to its own case. A world for each case would take four times as long."""
    by_check = [[what for what, case in BROKEN.items() if case[2] == check] for check in CHECKS]
    return [[what for what in row if what] for row in zip_longest(*by_check)]


@pytest.mark.parametrize("together", rounds())
def test_what_is_broken_is_found(together: list[str], tmp_path: Path) -> None:
    source = GOOD
    for what in together:
        old, new, _, _ = BROKEN[what]
        assert source.count(old) == 1, f"{what}: the program has this not once"
        source = source.replace(old, new)
    found = walked(tmp_path, source)
    for what in together:
        _, _, check, text = BROKEN[what]
        assert any(text in wrong for wrong in found.get(check, ())), (what, found)


def test_each_check_is_seen_to_find_something() -> None:
    assert {check for _, _, check, _ in BROKEN.values()} == set(CHECKS)
