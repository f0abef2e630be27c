"""The life of prod's foundation under Pulumi's own engine: up, again, changed, refused, gone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from corral.embedded.engine.offline import plan_offline
from tests.cloud.engine.cluster_double import ClusterDouble
from tests.cloud.engine.provider import AwsDouble
from tests.cloud.engine.rpc import serving
from tests.cloud.engine.standing import named_too_early
from tests.cloud.running import moto
from tests.cloud.stacks import Settings, shipped, surroundings
from tests.cloud.test_replacing import Change, changed
from tests.project_copy import copy_project, corral

ENGINE = ("pulumi", "pulumi-language-python")
MISSING = [program for program in ENGINE if shutil.which(program) is None]

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(bool(MISSING), reason=f"no Pulumi engine: {', '.join(MISSING)} not on PATH"),
]

STACK = "cloud-foundation"
ALL = 4
"""Engine and language host take part in every update; these many at once are plenty here."""


@dataclass
class Life:
    """A project in a folder, its state in another, and the account that it is carried out in."""

    project: Path
    settings: Settings
    double: AwsDouble
    providers: str
    """Ports by package, as the engine takes them."""

    def write(self, change: Change | None = None) -> None:
        """The stack file, with the change that is asked for."""
        settings = changed(self.settings, change or {})
        file = self.project / "stacks" / "Pulumi.cloud.yaml"
        file.write_text(yaml.safe_dump({"config": {"corral:settings": settings}}))

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Pulumi as a person would run it, but for the provider that it is told to talk to."""
        return subprocess.run(
            [str(shutil.which("pulumi")), *arguments, "--non-interactive"],
            cwd=self.project,
            env={**os.environ, **self.environment()},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def environment(self) -> dict[str, str]:
        """Where Pulumi keeps its state, and whom it talks to."""
        state = self.project.parent / "state"
        state.mkdir(exist_ok=True)
        return {
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_HOME": str(self.project.parent / "home"),
            "PULUMI_DEBUG_PROVIDERS": self.providers,
        }

    def does(self, operation: str, *arguments: str) -> str:
        """An operation that must succeed; what it said."""
        result = self.pulumi(operation, "--stack", STACK, *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def standing(self) -> list[str]:
        return sorted(one.type for one in self.double.standing.values())


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    project = copy_project(tmp_path_factory.mktemp("life") / "project")
    double = AwsDouble()
    with moto(), serving(double) as aws, serving(ClusterDouble()) as cluster:
        settings = surroundings({**shipped()["prod"], "layers": "separate"})
        found = Life(
            project=project,
            settings=settings,
            double=double,
            providers=f"aws:{aws},kubernetes:{cluster}",
        )
        found.write()
        made = found.pulumi("stack", "init", STACK)
        assert made.returncode == 0, made.stderr
        yield found


def planned(life: Life) -> list[str]:
    plan = plan_offline(project=life.project, stack=STACK, config={})
    return sorted(one.type for one in plan if one.type.startswith("aws:"))


def test_up_makes_exactly_what_the_offline_plan_says(life: Life) -> None:
    life.does("up", "--yes", "--skip-preview", "--parallel", str(ALL))
    assert life.standing() == planned(life)
    assert len(life.standing()) > 60, "an empty comparison would prove nothing"


def test_nothing_is_made_before_what_it_names(life: Life) -> None:
    assert named_too_early(life.double.standing) == []


def test_a_second_run_changes_nothing(life: Life) -> None:
    life.does("preview", "--expect-no-changes", "--diff")
    before = dict(life.double.standing)
    life.does("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert life.double.standing == before


def test_what_is_protected_is_not_replaced_and_the_plan_says_what_would_be(life: Life) -> None:
    before = dict(life.double.standing)
    life.write({"aws.network.cidr": "10.99.0.0/16"})
    plan = ("plan", STACK, "--engine", "pulumi", "--local-backend")
    refused = corral(life.project, *plan, environment=life.environment())
    assert refused.returncode != 0
    said = " ".join(refused.stderr.split())
    assert "replaces aws:ec2/vpc:Vpc vpc, which is protected: cidrBlock changes" in said
    assert re.search(r'unable to replace resource "\S*::vpc"', said)
    # Even without a preview before it.
    assert life.pulumi("up", "--stack", STACK, "--yes", "--skip-preview").returncode != 0
    assert life.double.standing == before
    life.write()


def test_what_is_protected_is_not_destroyed(life: Life) -> None:
    before = life.standing()
    refused = life.pulumi("destroy", "--stack", STACK, "--yes")
    assert refused.returncode != 0
    assert "protected" in refused.stdout + refused.stderr
    assert life.standing() == before, "nothing else may go either"


def test_a_change_is_made_in_place_and_then_there_is_none(life: Life) -> None:
    groups = life.standing().count("aws:autoscaling/group:Group")
    life.write(
        {
            "pools.sandboxed.min-nodes": 6,
            "pools.sandboxed.max-nodes": 60,
            "pools.more": {"machines": "virtual", "min-nodes": 1, "max-nodes": 1},
            "aws.network.flow-log-days": 30,
            "cluster.log-days": 30,
        }
    )
    life.does("up", "--yes", "--skip-preview")
    assert life.double.deleted == [], "nothing was replaced"
    assert life.standing().count("aws:autoscaling/group:Group") == groups + 1
    life.does("preview", "--expect-no-changes")


def test_once_released_everything_goes_and_nothing_before_what_names_it(life: Life) -> None:
    life.write({"aws.protect": False})
    life.does("up", "--yes", "--skip-preview")
    life.double.torn.clear()
    life.does("destroy", "--yes", "--skip-preview", "--parallel", str(ALL))
    assert life.standing() == []
    assert life.double.torn == []


def test_nothing_stays_behind_in_the_account(life: Life) -> None:
    account = life.double.account
    ec2, scaling = account.client("ec2"), account.client("autoscaling")
    assert [one for one in ec2.describe_vpcs()["Vpcs"] if not one["IsDefault"]] == []
    assert ec2.describe_addresses()["Addresses"] == []
    assert ec2.describe_launch_templates()["LaunchTemplates"] == []
    assert scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert account.client("eks").list_clusters()["clusters"] == []
    assert account.client("logs").describe_log_groups()["logGroups"] == []
    roles = account.client("iam").list_roles()["Roles"]
    assert {one["RoleName"] for one in roles} <= {"platform-engineers"}, "not ours to delete"
    running = ec2.describe_instances()["Reservations"]
    states = {one["State"]["Name"] for group in running for one in group["Instances"]}
    assert states <= {"terminated"}
