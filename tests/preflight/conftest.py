"""What looks at an account are given here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from corral.commands import offline
from corral.commands.stacks import open_stack
from corral.embedded.engine.offline import PlannedResource
from corral.preflight.aws.ground import Ground
from corral.settings.cluster import EksCluster
from corral.settings.loading import load_value
from corral.settings.stack import Settings
from tests.cloud.stacks import DEV, varied
from tests.preflight.account import Answers, RecordedAccount
from tests.project_copy import ROOT

Grounds = Callable[..., Ground]


@cache
def planned(stack: str) -> tuple[PlannedResource, ...]:
    """What the program registers for a shipped stack."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return tuple(
            offline.planned(open_stack(stack), charts=None, unexpanded=lambda _reason: None)
        )


def resource(type_: str, called: str, /, **inputs: Any) -> PlannedResource:
    """One resource of a plan."""
    return PlannedResource(
        urn=f"urn:pulumi:dev::corral::{type_}::{called}",
        type=type_,
        name=called,
        parent=None,
        dependencies=(),
        protect=False,
        inputs=inputs,
    )


PLAN = (
    resource("aws:ec2/vpc:Vpc", "vpc", cidrBlock="10.40.0.0/16"),
    resource("aws:ec2/internetGateway:InternetGateway", "internet"),
    resource("aws:ec2/eip:Eip", "nat-a"),
    resource("aws:ec2/eip:Eip", "nat-b"),
    resource("aws:ec2/natGateway:NatGateway", "a"),
    resource("aws:eks/cluster:Cluster", "cluster", name="corral-dev", version="1.36"),
    resource("aws:eks/addon:Addon", "vpc-cni", addonName="vpc-cni", addonVersion="v1-eksbuild.1"),
)
"""The parts of a plan that an account is looked at for, in small."""


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """AWS as moto has it, with credentials, and nothing of this machine's configuration."""
    for key, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": str(tmp_path / "absent"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "absent"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def ground(moto: None) -> Grounds:
    """Makes a ground: of stack dev, or with other sections of its settings."""
    assert moto is None

    def make(answers: Answers | None = None, *, arn: str = "", **changes: Any) -> Ground:
        settings: Settings = load_value(varied(DEV, **changes), "test")
        assert settings.aws is not None
        assert isinstance(settings.cluster, EksCluster)
        identity = {"arn": arn} if arn else {}
        return Ground(
            stacks=("dev",),
            settings=settings,
            aws=settings.aws,
            cluster=settings.cluster,
            plan=PLAN,
            account=RecordedAccount(settings.aws, answers or {}, **identity),
        )

    return make
