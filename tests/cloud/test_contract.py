"""What all AWS resources have in common, whatever the stack."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from corral.embedded.engine.offline import PlannedResource, plan_offline
from corral.settings.layers import parts
from tests.cloud.adapters import ADAPTERS
from tests.cloud.provider_schema import misplaced
from tests.cloud.running import write_program
from tests.cloud.shapes import SHAPES
from tests.cloud.stacks import DEV, Settings, configuration, shipped, varied
from tests.project_copy import ROOT

SHIPPED = shipped()
PROVIDER = "pulumi:providers:aws"

NAMES: Final = {
    "aws:autoscaling/group:Group": ("name", r"[A-Za-z0-9._/-]{1,255}"),
    "aws:cloudwatch/logGroup:LogGroup": ("name", r"[A-Za-z0-9_/.#-]{1,512}"),
    "aws:cloudwatch/logStream:LogStream": ("name", r"[^:*]{1,512}"),
    "aws:ec2/launchTemplate:LaunchTemplate": ("name", r"[A-Za-z0-9()./_-]{3,128}"),
    "aws:ec2/securityGroup:SecurityGroup": (
        "name",
        r"(?!sg-)[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}",
    ),
    "aws:cloudwatch/eventRule:EventRule": ("name", r"[.A-Za-z0-9_-]{1,64}"),
    "aws:sqs/queue:Queue": ("name", r"[A-Za-z0-9_-]{1,80}"),
    "aws:eks/cluster:Cluster": ("name", r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"),
    "aws:iam/instanceProfile:InstanceProfile": ("name", r"[A-Za-z0-9_+=,.@-]{1,128}"),
    "aws:iam/role:Role": ("name", r"[A-Za-z0-9_+=,.@-]{1,64}"),
    "aws:iam/rolePolicy:RolePolicy": ("name", r"[A-Za-z0-9_+=,.@-]{1,128}"),
    "aws:kms/alias:Alias": ("name", r"alias/(?!aws/)[A-Za-z0-9/_-]{1,250}"),
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": ("name", r"[A-Za-z0-9 _-]{1,64}"),
    "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": (
        "name",
        r"[A-Za-z0-9 _-]{1,64}",
    ),
    "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation": (
        "name",
        r"[A-Za-z0-9 _-]{1,64}",
    ),
    "aws:s3/bucket:Bucket": ("bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
}
"""AWS' own limits of names, by type; a type that isn't here has no name, or a tag for one."""

LOST_FOR_GOOD: Final = frozenset(
    {
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:ec2/capacityReservation:CapacityReservation",
        "aws:ec2/eip:Eip",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:eks/cluster:Cluster",
        "aws:kms/key:Key",
        "aws:s3/bucket:Bucket",
    }
)
"""What holds data, can't be had again once it was given up, or has all of that inside."""

SECRETS: Final = re.compile(
    r"\b(AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|aws_secret_access_key|password\s*[:=]",
    re.IGNORECASE,
)

POOL: Final = {"machines": "virtual", "instances": ["m7i.large"], "max-nodes": 2}


def planned(settings: Settings) -> list[PlannedResource]:
    """The stack's AWS resources and providers, from a plan without any cloud: all are in the first
    of its layers."""
    part = parts("dev", settings.get("layers", "together"))[0]
    everything = plan_offline(project=ROOT, stack=part.stack, config=configuration(settings))
    return [one for one in everything if one.type.startswith(("aws:", PROVIDER))]


@pytest.fixture(scope="module", params=SHIPPED)
def resources(request: pytest.FixtureRequest) -> list[PlannedResource]:
    return planned(SHIPPED[request.param])


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def test_names_are_within_aws_limits(resources: list[PlannedResource]) -> None:
    for one in resources:
        if one.type in NAMES:
            key, pattern = NAMES[one.type]
            assert re.fullmatch(pattern, one.inputs[key]), f"{one.urn}: {one.inputs[key]}"


def test_nothing_that_has_a_name_is_left_to_pulumi_to_name(
    resources: list[PlannedResource],
) -> None:
    """A name with a random end can't be written into a policy, a tag or somebody's allowlist."""
    for one in resources:
        assert "namePrefix" not in one.inputs and "bucketPrefix" not in one.inputs, one.urn
        if one.type in NAMES:
            assert NAMES[one.type][0] in one.inputs, one.urn


def test_the_longest_cluster_name_still_makes_names_that_aws_takes() -> None:
    settings = varied(DEV, cluster={"kind": "eks", "name": "a" * 30})
    settings["pools"] = {**DEV["pools"], "b" * 24: POOL}
    for one in planned(settings):
        if one.type in NAMES:
            key, pattern = NAMES[one.type]
            assert re.fullmatch(pattern, one.inputs[key]), f"{one.urn}: {one.inputs[key]}"


def test_no_input_is_or_holds_a_secret(resources: list[PlannedResource]) -> None:
    for one in resources:
        for text in texts(one.inputs):
            assert not SECRETS.search(text), one.urn


def test_all_go_through_the_one_guarded_provider(resources: list[PlannedResource]) -> None:
    [provider] = [one for one in resources if one.type == PROVIDER]
    assert provider.inputs["allowedAccountIds"]
    assert "tags" in provider.inputs["defaultTags"]
    assert not {"accessKey", "secretKey", "token"} & provider.inputs.keys()


def test_dev_is_there_to_be_thrown_away() -> None:
    assert [one.urn for one in planned(DEV) if one.protect] == []


def test_what_can_t_be_had_again_is_protected(resources: list[PlannedResource]) -> None:
    protect = any(one.protect for one in resources)
    for one in resources:
        if protect and one.type in LOST_FOR_GOOD:
            assert one.protect, f"{one.urn} would go with one careless `destroy`"


def test_protection_is_the_default() -> None:
    """A stack file that says nothing about it is somebody's production."""
    settings = varied(DEV)
    del settings["aws"]["protect"]
    protected = {one.type for one in planned(settings) if one.protect}
    assert {"aws:kms/key:Key", "aws:eks/cluster:Cluster", "aws:ec2/eip:Eip"} <= protected
    assert {"aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:cloudwatch/logGroup:LogGroup"} <= (
        protected
    )


def identities(settings: Settings) -> dict[str, Any]:
    return {
        one.urn: {key: one.inputs.get(key) for key in ("name", "cidrBlock", "availabilityZone")}
        for one in planned(settings)
    }


def reordered(settings: Settings) -> Settings:
    return {**settings, "pools": dict(reversed(list(settings["pools"].items())))}


def with_another_pool(settings: Settings) -> Settings:
    return {**settings, "pools": {"another": POOL, **settings["pools"]}}


def with_another_zone(settings: Settings) -> Settings:
    network = {**settings["aws"]["network"], "zones": ["a", "b", "c"]}
    return varied(settings, aws={"network": network})


def test_the_order_of_pools_names_nothing() -> None:
    assert identities(DEV) == identities(reordered(DEV))


@pytest.mark.parametrize(
    ("change", "named"), [(with_another_pool, "another"), (with_another_zone, "c")]
)
def test_what_comes_renames_and_moves_nothing_else(
    change: Callable[[Settings], Settings], named: str
) -> None:
    before, after = identities(DEV), identities(change(DEV))
    assert before.items() <= after.items()
    assert all(named in urn.rpartition("::")[2] for urn in after.keys() - before.keys())


def test_exactly_what_is_used_is_adapted(tmp_path: Path) -> None:
    """No shipped resource goes unproven without a word, and no adapter is there for nothing."""
    sample = (ROOT / "tests" / "cloud" / "programs" / "foundation.py").read_text(encoding="utf-8")
    program = plan_offline(project=write_program(tmp_path, sample), stack="dev", config={})
    used = {one.type for one in program}
    used |= {one.type for settings in SHIPPED.values() for one in planned(settings)}
    assert ADAPTERS.keys() | SHAPES.keys() == {token for token in used if token.startswith("aws:")}


def test_a_misspelt_input_is_seen() -> None:
    assert misplaced("aws:ec2/vpc:Vpc", {"cidrBlok": "10.0.0.0/16"}) == ["cidrBlok: no such input"]
    assert misplaced(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"blockDeviceMappings": [{"ebs": {"encripted": "true"}}]},
    ) == ["blockDeviceMappings[0].ebs.encripted: no such input"]
    assert misplaced("aws:eks/addon:Addon", {"clusterName": "c"}) == ["addonName: missing"]


def test_stacks_differ_in_their_files_only() -> None:
    """No stack has a program or a component of its own."""
    program = (ROOT / "__main__.py").read_text(encoding="utf-8")
    sources = [program, *(file.read_text() for file in Path(ROOT, "components").rglob("*.py"))]
    assert not [name for name in SHIPPED for text in sources if f'"{name}"' in text]
