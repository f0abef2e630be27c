"""Every input is passed on, to the right account, or the resource fails."""

from __future__ import annotations

from pathlib import Path

from tests.cloud.executor import proof_table
from tests.cloud.running import World, build, moto, write_program

OTHER = "210987654321"
PROVIDER = """
import pulumi
import pulumi_aws as aws
account = aws.Provider("account", region="eu-west-1", allowed_account_ids=["123456789012"],
    default_tags={"tags": {"a": "b"}})
at = pulumi.ResourceOptions(provider=account)
"""


def built(directory: Path, source: str, *, provider: str = PROVIDER) -> World:
    return build(write_program(directory, provider + source))


def reason(world: World) -> str:
    [failure] = world.result.failures
    return failure.reason


def test_real_identifiers_flow_on(tmp_path: Path) -> None:
    source = """
vpc = aws.ec2.Vpc("v", cidr_block="10.0.0.0/16", opts=at)
aws.ec2.Subnet("s", vpc_id=vpc.id, cidr_block="10.0.0.0/24", opts=at)
"""
    with moto():
        world = built(tmp_path, source)
        assert world.result.complete, world.explained()
        ec2 = world.account.client("ec2")
        found = ec2.describe_subnets(SubnetIds=[world.executor["s"].id])["Subnets"]
        assert [one["VpcId"] for one in found] == [world.executor["v"].id]


def test_an_input_that_nobody_passes_on_fails_its_resource(tmp_path: Path) -> None:
    with moto():
        source = 'aws.ec2.Vpc("v", cidr_block="10.0.0.0/16", ipv6_cidr_block="::/56", opts=at)'
        text = reason(built(tmp_path, source))
    assert "ipv6CidrBlock" in text


def test_an_input_in_a_block_that_nobody_passes_on_fails_its_resource(tmp_path: Path) -> None:
    source = """
aws.ec2.LaunchTemplate("t", metadata_options={"http_tokens": "required"},
    placement={"host_id": "h-1"}, opts=at)
"""
    with moto():
        text = reason(built(tmp_path, source))
    assert "placement.hostId" in text


def test_a_type_without_an_adapter_fails(tmp_path: Path) -> None:
    with moto():
        text = reason(built(tmp_path, 'aws.glacier.Vault("v", name="v", opts=at)'))
    assert "no adapter for aws:glacier/vault:Vault" in text


def test_what_moto_refuses_fails_with_its_reason(tmp_path: Path) -> None:
    with moto():
        text = reason(built(tmp_path, 'aws.ec2.Vpc("v", cidr_block="10.0.0.0/8", opts=at)'))
    assert "InvalidVpc" in text


def test_a_policy_that_aws_doesn_t_have_can_t_be_attached(tmp_path: Path) -> None:
    source = """
role = aws.iam.Role("r", name="r", assume_role_policy="{}", opts=at)
aws.iam.RolePolicyAttachment("r", role=role.name,
    policy_arn="arn:aws:iam::aws:policy/AmazonEKSWorkerNodeMinimalistPolicy", opts=at)
"""
    with moto():
        assert "NoSuchEntity" in reason(built(tmp_path, source))


def test_what_moto_lacks_must_at_least_have_the_right_shape(tmp_path: Path) -> None:
    good = 'aws.eks.Addon("a", cluster_name="c", addon_name="coredns", opts=at)'
    with moto():
        world = built(tmp_path / "good", good)
        assert world.result.complete, world.explained()
        assert "NOT PROVEN" in proof_table(world.executor.created)
        wrong = good.replace('"coredns"', '"coredns", pod_identity_associations=[{"role_arn": ""}]')
        text = reason(built(tmp_path / "wrong", wrong))
    assert "serviceAccount" in text


def test_a_resource_without_the_stack_s_provider_fails(tmp_path: Path) -> None:
    with moto():
        text = reason(built(tmp_path, 'aws.ec2.Vpc("v", cidr_block="10.0.0.0/16")'))
    assert "no provider of the stack" in text


def test_another_account_than_the_allowed_one_is_refused(tmp_path: Path) -> None:
    with moto():
        provider = PROVIDER.replace("123456789012", OTHER)
        text = reason(built(tmp_path, "", provider=provider))
    assert "123456789012" in text and OTHER in text


def test_a_provider_that_allows_any_account_is_refused(tmp_path: Path) -> None:
    with moto():
        provider = PROVIDER.replace('allowed_account_ids=["123456789012"],', "")
        assert "allowedAccountIds" in reason(built(tmp_path, "", provider=provider))


def test_an_assumed_role_leads_to_its_account(tmp_path: Path) -> None:
    provider = f"""
import pulumi
import pulumi_aws as aws
account = aws.Provider("account", region="eu-west-1", allowed_account_ids=["{OTHER}"],
    assume_roles=[aws.ProviderAssumeRoleArgs(role_arn="arn:aws:iam::{OTHER}:role/corral",
    external_id="ext-12345", session_name="corral", tags={{"stack": "dev"}})])
at = pulumi.ResourceOptions(provider=account)
"""
    with moto():
        source = 'role = aws.iam.Role("r", name="r", assume_role_policy="{}", opts=at)'
        world = built(tmp_path, source, provider=provider)
        assert world.result.complete, world.explained()
        assert world.account.id == OTHER
        assert f"::{OTHER}:role/r" in world.executor["r"].outputs["arn"]
