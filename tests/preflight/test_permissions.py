"""What a simulation of IAM is taken for. moto has none: answers are of botocore's shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from corral.preflight.aws import permissions
from corral.preflight.finding import Finding, Grade
from tests.preflight.account import refusal
from tests.preflight.conftest import Grounds

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/deployer"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/somebody"
ROLE_OF_SESSION = {
    "Role": {
        "Path": "/team/",
        "RoleName": "deployer",
        "RoleId": "AROA12345678901234567",
        "Arn": ROLE,
        "CreateDate": "2026-01-01T00:00:00Z",
    }
}


class Simulation:
    """Allows everything but what it is told to deny, on what it is told to deny it on."""

    def __init__(self, denied: Mapping[str, Mapping[str, Any]], *, but_on: str = "") -> None:
        self.denied = denied
        self.but_on = but_on
        self.asked: list[Mapping[str, Any]] = []

    def __call__(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(parameters)
        things = parameters.get("ResourceArns", ["*"])
        return {
            "EvaluationResults": [self._judged(name, things) for name in parameters["ActionNames"]]
        }

    def _judged(self, name: str, things: list[str]) -> dict[str, Any]:
        allowed = {"EvalActionName": name, "EvalDecision": "allowed"}
        if name not in self.denied:
            return allowed
        specific = [
            {
                "EvalResourceName": thing,
                "EvalResourceDecision": "allowed"
                if self.but_on and self.but_on in thing
                else "implicitDeny",
            }
            for thing in things
        ]
        return {
            "EvalActionName": name,
            "EvalDecision": "implicitDeny",
            "ResourceSpecificResults": specific,
            **self.denied[name],
        }


def looked(ground: Grounds, simulation: Any, *, arn: str = ROLE, **answers: Any) -> list[Finding]:
    recorded = {("iam", "simulate_principal_policy"): simulation}
    recorded |= {("iam", operation): answer for operation, answer in answers.items()}
    return list(permissions.look(ground(recorded, arn=arn)))


def test_all_allowed_is_said_with_the_limits_of_a_simulation(ground: Grounds) -> None:
    [found] = looked(ground, Simulation({}))
    assert found.grade is Grade.OK
    assert "by simulation" in found.what
    assert "session policies" in found.what


def test_what_is_denied_is_named_with_whom_to_allow_it(ground: Grounds) -> None:
    denied, rest = looked(ground, Simulation({"eks:CreateCluster": {}, "ec2:CreateVpc": {}}))
    assert denied.grade is Grade.FAILURE
    assert denied.what == "not allowed: ec2:CreateVpc, eks:CreateCluster"
    assert ROLE in denied.fix
    assert rest.grade is Grade.OK


def test_a_role_that_may_do_it_on_the_stacks_own_things_alone_is_enough(ground: Grounds) -> None:
    found = looked(ground, Simulation({"eks:CreateCluster": {}}, but_on="cluster/corral-dev"))
    assert [one.grade for one in found] == [Grade.OK]
    found = looked(ground, Simulation({"eks:CreateCluster": {}}, but_on="cluster/another"))
    assert found[0].grade is Grade.FAILURE


@pytest.mark.parametrize(
    "detail",
    [
        {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}},
        {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}},
    ],
)
def test_what_the_organization_or_a_boundary_denies_is_not_the_roles_to_allow(
    ground: Grounds, detail: Mapping[str, Any]
) -> None:
    denied, _ = looked(ground, Simulation({"ec2:CreateVpc": detail}))
    assert denied.grade is Grade.FAILURE
    assert denied.what.startswith("denied from above")


def test_conditions_that_a_simulation_cannot_know_are_no_failure(ground: Grounds) -> None:
    unclear, _ = looked(
        ground, Simulation({"ec2:CreateVpc": {"MissingContextValues": ["aws:RequestTag/team"]}})
    )
    assert unclear.grade is Grade.WARNING
    assert "aws:RequestTag/team" in unclear.why


def test_of_a_session_the_role_is_asked_about_with_its_path(ground: Grounds) -> None:
    simulation = Simulation({})
    looked(ground, simulation, arn=SESSION, get_role=ROLE_OF_SESSION)
    assert {asked["PolicySourceArn"] for asked in simulation.asked} == {ROLE}


def test_a_session_that_may_not_look_its_role_up_asks_by_its_name(ground: Grounds) -> None:
    simulation = Simulation({})
    looked(ground, simulation, arn=SESSION, get_role=refusal("iam", "get_role", "AccessDenied"))
    assert {asked["PolicySourceArn"] for asked in simulation.asked} == {
        f"arn:aws:iam::{ACCOUNT}:role/deployer"
    }


@pytest.mark.parametrize(
    "arn", [f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:sts::{ACCOUNT}:federated-user/somebody"]
)
def test_whom_iam_cannot_simulate_is_said_to_be_unknown(ground: Grounds, arn: str) -> None:
    [found] = looked(ground, Simulation({}), arn=arn)
    assert found.grade is Grade.WARNING
    assert "can't be simulated" in found.what


def test_the_region_is_told_and_few_actions_at_once(
    ground: Grounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permissions, "AT_ONCE", 10)
    simulation = Simulation({})
    looked(ground, simulation)
    assert len(simulation.asked) > 1
    for asked in simulation.asked:
        assert len(asked["ActionNames"]) <= 10
        assert asked["ContextEntries"][0]["ContextKeyValues"] == ["eu-west-1"]
