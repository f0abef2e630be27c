"""Everything about an account at once: in order, and whatever can't be asked is said."""

from __future__ import annotations

from typing import Any

import pytest

from corral.aws_account.errors import NoWayIn, Unreachable
from corral.aws_account.reading import AwsAccount
from corral.preflight.aws import account, identity
from corral.preflight.finding import Finding, Grade
from tests.preflight.account import refusal
from tests.preflight.conftest import PLAN, Grounds
from tests.preflight.test_images import image
from tests.preflight.test_permissions import Simulation
from tests.preflight.test_quotas import limits
from tests.preflight.test_versions import eks

WELL = {
    ("iam", "simulate_principal_policy"): Simulation({}),
    **limits(),
    **image(),
    **eks(),
}
"""Answers to everything that moto has none for."""


def examined(
    ground: Grounds, monkeypatch: pytest.MonkeyPatch, answers: Any, **changes: Any
) -> list[Finding]:
    there = ground(answers, **changes)

    def enter(_aws: Any, *, stack: str) -> Any:
        assert stack == "dev"
        if isinstance(answers, Exception):
            raise answers
        return there.account

    monkeypatch.setattr(AwsAccount, "enter", enter)
    monkeypatch.setattr("shutil.which", lambda _name: "/usr/bin/aws")
    return list(
        account.examine_account(
            ["dev"], settings=there.settings, aws=there.aws, cluster=there.cluster, plan=PLAN
        )
    )


def test_an_account_that_has_everything_is_well_from_its_identity_to_its_versions(
    ground: Grounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = examined(ground, monkeypatch, WELL)
    assert {one.grade for one in found} == {Grade.OK}, [one.what for one in found]
    whats = "\n".join(one.what for one in found)
    order = (
        "account 123456789012",
        "by simulation",
        "Elastic IP",
        "pool system",
        "image",
        "add-on",
    )
    assert [whats.index(part) for part in order] == sorted(whats.index(part) for part in order)


@pytest.mark.parametrize("error", [NoWayIn("no credentials"), Unreachable("no network")])
def test_without_a_way_in_that_is_all_that_is_said(
    ground: Grounds, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    [found] = examined(ground, monkeypatch, error)
    assert found.grade is Grade.FAILURE
    assert found.what == str(error)


@pytest.mark.parametrize(
    ("asked", "what", "fix"),
    [
        (("iam", "simulate_principal_policy"), "permissions", "allow that action"),
        (("service-quotas", "get_service_quota"), "quotas", "allow that action"),
        (("ec2", "describe_instance_type_offerings"), "instance types", "allow that action"),
        (("ssm", "get_parameter"), "machine images", "allow that action"),
        (("eks", "describe_cluster_versions"), "versions", "allow that action"),
    ],
)
def test_what_may_not_be_asked_is_a_warning_and_the_rest_is_looked_at(
    ground: Grounds,
    monkeypatch: pytest.MonkeyPatch,
    asked: tuple[str, str],
    what: str,
    fix: str,
) -> None:
    found = examined(ground, monkeypatch, {**WELL, asked: refusal(*asked, "AccessDeniedException")})
    [warned] = [one for one in found if one.grade is not Grade.OK]
    assert warned.grade is Grade.WARNING
    assert warned.what.startswith(f"{what}: not looked at to the end")
    assert fix in warned.fix
    assert len(found) > len(account.LOOKS)


def test_root_is_warned_of(ground: Grounds, monkeypatch: pytest.MonkeyPatch) -> None:
    found = examined(ground, monkeypatch, WELL, arn="arn:aws:iam::123456789012:root")
    assert found[0].grade is Grade.WARNING
    assert "root" in found[0].what


def test_whoever_makes_the_cluster_needs_no_entry_of_its_own_and_gets_no_second(
    ground: Grounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: "/usr/bin/aws")
    arn = "arn:aws:sts::123456789012:assumed-role/engineers/somebody"
    role = "arn:aws:iam::123456789012:role/people/engineers"
    cluster = {"kind": "eks", "name": "corral-dev", "administrators": [role]}
    [_, found, _] = identity.look(ground(arn=arn, cluster=cluster))
    assert found.grade is Grade.FAILURE
    assert role in found.what
    standing = {("eks", "describe_cluster"): {"cluster": {"name": "corral-dev"}}}
    later = identity.look(ground(standing, arn=arn, cluster=cluster))
    assert {one.grade for one in later} == {Grade.OK}, "the one that stands knows them apart"


def test_without_the_aws_cli_no_token_would_be_had(
    ground: Grounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = ground(WELL)
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert [one.grade for one in identity.look(there)] == [Grade.OK, Grade.FAILURE]


def test_nothing_that_is_asked_changes_anything(
    ground: Grounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a look asks goes through the one account, which calls nothing but reads."""
    there = ground(WELL)
    monkeypatch.setattr(AwsAccount, "enter", lambda _aws, stack: there.account if stack else None)
    list(
        account.examine_account(
            ["dev"], settings=there.settings, aws=there.aws, cluster=there.cluster, plan=PLAN
        )
    )
    asked = there.account.asked  # type: ignore[attr-defined] # a recorded account, which keeps it
    assert len(asked) > 20
    assert {operation.split("_")[0] for _, operation, _ in asked} <= {
        "describe",
        "get",
        "list",
        "simulate",
    }
