"""Small documents of the AWS layers: kubeconfig, trust, add-ons, versions, the spread of nodes."""

from __future__ import annotations

import json
import subprocess
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.aws.cluster.addons import BEFORE_NODES, SYSTEM_ROLES, addon_configuration
from components.aws.cluster.kubeconfig import kubeconfig_text
from components.aws.network.existing import WantedSubnet, subnet_problems
from components.aws.nodes.spread import spread
from components.aws.policies import (
    key_alias,
    managed_policy,
    pod_identity_trust,
    service_trust,
    volumes_key_policy,
    volumes_use_policy,
)
from components.cluster_access import keep_kubeconfig
from components.versions import EKS_ADDONS, GVISOR_SHA512, eks_version, kubernetes_minor, node_image
from corral.kubernetes import Access
from tests.components.aws.test_contract import of_type, resources_of, shipped


def text_for(stack: str) -> str:
    aws = shipped(stack).aws
    assert aws is not None
    return kubeconfig_text(
        name="agents", endpoint="https://x.eks", certificate_authority="QQ==", aws=aws
    )


def test_a_kubeconfig_holds_how_to_get_a_token_and_no_token() -> None:
    document = json.loads(text_for("dev"))
    (user,) = document["users"]
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["command"] == "aws"
    assert user["user"]["exec"]["interactiveMode"] == "Never", "nobody is there to answer in CI"
    assert "--role-arn" not in user["user"]["exec"]["args"]
    assert document["current-context"] == "agents"


FAKE_AWS = """#!/bin/sh
for argument in "$@"; do echo "$argument"; done >> "$SEEN"
if [ "$1" = sts ]; then
  [ -z "${REFUSED:-}" ] || exit 254
  printf 'AKIA\\tsecret/key+\\ttoken\\n'
else
  echo "as $AWS_ACCESS_KEY_ID"
fi
"""


def run_as(stack: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs what the kubeconfig names, with an `aws` that tells what it was asked."""
    (folder / "aws").write_text(FAKE_AWS, encoding="utf-8")
    (folder / "aws").chmod(0o755)
    command = json.loads(text_for(stack))["users"][0]["user"]["exec"]
    return subprocess.run(
        [command["command"], *command["args"]],
        env={"PATH": f"{folder}:/usr/bin:/bin", "SEEN": str(folder / "seen"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_token_is_of_the_role_as_its_owner_asks(tmp_path: Path) -> None:
    assert run_as("byoc-example", tmp_path).stdout == "as AKIA\n"
    seen = (tmp_path / "seen").read_text(encoding="utf-8").splitlines()
    assert seen[seen.index("--role-arn") + 1] == (
        "arn:aws:iam::123456789012:role/corral-provisioning"
    )
    assert seen[seen.index("--external-id") + 1] == "customer-4711"
    assert seen[seen.index("--tags") + 1] == "Key=vendor,Value=corral"
    assert seen[seen.index("--cluster-name") + 1] == "agents"


def test_a_role_that_may_not_be_assumed_gives_no_token(tmp_path: Path) -> None:
    done = run_as("byoc-example", tmp_path, REFUSED="yes")
    assert done.returncode != 0 and done.stdout == "", "not as somebody else instead"


def test_a_kept_kubeconfig_is_for_its_owner_alone(tmp_path: Path) -> None:
    access = Access(kubeconfig=tmp_path / "state" / "a.kubeconfig", context="a")
    assert keep_kubeconfig("{}", access) == "{}"
    assert (tmp_path / "state" / "a.kubeconfig").stat().st_mode & 0o077 == 0


def test_pods_get_roles_only_from_eks_which_says_whose_they_are() -> None:
    (statement,) = pod_identity_trust()["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]


def test_a_service_that_acts_for_anybody_acts_as_a_role_for_its_account_alone() -> None:
    [statement] = service_trust("a.amazonaws.com", account="123456789012")["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    roles = of_type(resources_of("prod"), "aws:iam/role:Role")
    [flow] = [role for role in roles if role.name == "flow"]
    [trusted] = json.loads(flow.inputs["assumeRolePolicy"])["Statement"]
    assert trusted["Condition"] == statement["Condition"]


def test_the_volumes_key_is_used_through_ebs_of_this_account_alone() -> None:
    for statement in volumes_key_policy("123456789012", "eu-west-1")["Statement"][1:]:
        assert statement["Condition"]["StringEquals"] == {
            "kms:CallerAccount": "123456789012",
            "kms:ViaService": "ec2.eu-west-1.amazonaws.com",
        }


@pytest.mark.parametrize(
    ("region", "arn"),
    [
        ("eu-west-1", "arn:aws:iam::aws:policy/P"),
        ("cn-north-1", "arn:aws-cn:iam::aws:policy/P"),
        ("us-gov-west-1", "arn:aws-us-gov:iam::aws:policy/P"),
    ],
)
def test_arns_are_of_the_region_s_partition(region: str, arn: str) -> None:
    assert managed_policy(region, "P") == arn


def test_add_ons_are_pinned_and_their_tables_name_only_them() -> None:
    assert all(
        version.startswith("v") and "-eksbuild." in version for version in EKS_ADDONS.values()
    )
    assert {*BEFORE_NODES, *SYSTEM_ROLES} <= set(EKS_ADDONS)
    assert EKS_ADDONS["kube-proxy"].startswith(f"{kubernetes_minor()}."), "it follows Kubernetes"


def test_the_ebs_driver_uses_one_key_and_only_by_ebs() -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1234"
    for statement in volumes_use_policy(key, "eu-west-1")["Statement"]:
        assert statement["Resource"] == key
        by = statement["Condition"]["StringEquals"]
        assert by == {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}
        grants = "kms:CreateGrant" in statement["Action"]
        assert grants == ("Bool" in statement["Condition"]), "grants are for EBS itself"


def test_an_alias_is_known_before_its_key() -> None:
    alias = key_alias("123456789012", "us-gov-west-1", "agents", "volumes")
    assert alias == "arn:aws-us-gov:kms:us-gov-west-1:123456789012:alias/agents/volumes"


def test_add_ons_that_run_on_every_node_bear_every_taint() -> None:
    for name in ("vpc-cni", "eks-pod-identity-agent"):
        values = json.loads(addon_configuration(name) or "{}")
        assert values["tolerations"] == [{"operator": "Exists"}]
    ebs = json.loads(addon_configuration("aws-ebs-csi-driver") or "{}")
    assert ebs["node"]["tolerateAllTaints"] is True
    assert ebs["node"]["hostNetwork"] is True, "or it counts no data volume: one is promised twice"
    assert ebs["sidecars"]["snapshotter"]["forceEnable"] is True, "or snapshots wait for ever"
    assert addon_configuration("coredns") is None


def test_the_node_image_is_one_release_of_the_cluster_s_version() -> None:
    image = node_image("amd64", eks_version())
    assert image.startswith("resolve:ssm:/aws/service/eks/optimized-ami/1.36/")
    assert f"-standard-{eks_version()}-v2026" in image
    assert "recommended" not in image, "that would be another image tomorrow"
    assert "/arm64/" in node_image("arm64", eks_version())


def test_checksums_are_whole() -> None:
    assert all(len(bytes.fromhex(sha512)) == 64 for sha512 in GVISOR_SHA512.values())


@given(st.integers(0, 1000), st.integers(1, 3))
def test_nodes_are_spread_evenly_and_none_is_lost(count: int, zones: int) -> None:
    shares = spread(count, "abc"[:zones])
    assert sum(shares.values()) == count
    assert all(shares.values()), "a reservation of none would be refused"
    if len(shares) == zones:
        assert max(shares.values()) - min(shares.values()) <= 1


@pytest.mark.parametrize(
    ("seen", "problem"),
    [
        ({}, None),
        ({"vpc_id": "vpc-2"}, "is in vpc-2, not in vpc-1"),
        ({"zone": "eu-west-1b"}, "is in zone eu-west-1b, not in eu-west-1a"),
        ({"public": True}, "gives public addresses"),
        ({"cidr": IPv4Network("100.64.0.0/20")}, "outside of aws.network.cidr 10.90.0.0/16"),
        (
            {"cidr": IPv4Network("10.90.0.0/24")},
            "has 251 addresses, and nodes may come to need 500",
        ),
    ],
)
def test_a_subnet_that_isn_t_what_the_settings_say_is_told(
    seen: dict[str, object], problem: str | None
) -> None:
    right = {
        "vpc_id": "vpc-1",
        "zone": "eu-west-1a",
        "public": False,
        "cidr": IPv4Network("10.90.16.0/20"),
    }
    found = subnet_problems(
        **{**right, **seen},  # type: ignore[arg-type] # each of its own type
        want=WantedSubnet(
            vpc="vpc-1",
            zone="eu-west-1a",
            within=IPv4Network("10.90.0.0/16"),
            addresses=500,
        ),
    )
    assert len(found) == (problem is not None)
    assert problem is None or problem in found[0]
