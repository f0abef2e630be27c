"""The table of IAM's actions: whole for what stacks register, and of actions that there are."""

from __future__ import annotations

import pytest
from botocore.session import Session  # type: ignore[import-untyped] # ships no types

from corral.preflight.aws.actions import ACTIONS, actions
from tests.cloud.stacks import shipped
from tests.preflight.conftest import planned

WITHOUT_CALL = {"iam:PassRole"}
"""Rights that no operation is called after."""

SERVICES = {"route53resolver": "route53resolver", "elasticloadbalancing": "elbv2"}
"""Where IAM's prefix isn't botocore's name."""


@pytest.mark.parametrize("stack", sorted(shipped()))
def test_every_type_of_aws_that_a_stack_registers_has_its_actions(stack: str) -> None:
    kinds = {one.type for one in planned(stack) if one.type.startswith("aws:")}
    assert kinds
    missing = sorted(kinds - ACTIONS.keys())
    assert not missing, f"add them to corral/preflight/aws/actions.py: {missing}"
    assert actions(kinds)


def test_a_type_without_an_entry_is_an_error_and_other_packages_need_none() -> None:
    assert actions(["kubernetes:core/v1:Namespace"]) == ()
    with pytest.raises(KeyError, match="aws:new/thing:Thing"):
        actions(["aws:new/thing:Thing"])


def test_every_action_is_an_operation_of_its_service() -> None:
    session = Session()
    operations: dict[str, set[str]] = {}
    wrong = []
    for action in sorted({action for group in ACTIONS.values() for action in group}):
        prefix, _, operation = action.partition(":")
        if prefix not in operations:
            model = session.get_service_model(SERVICES.get(prefix, prefix))
            operations[prefix] = set(model.operation_names)
        if operation not in operations[prefix] and action not in WITHOUT_CALL:
            wrong.append(action)
    assert not wrong


ATTRIBUTES = {"aws:sqs/queuePolicy:QueuePolicy"}
"""What goes by being set to nothing."""


@pytest.mark.parametrize("kind", sorted(ACTIONS.keys() - ATTRIBUTES))
def test_what_is_made_can_be_read_and_unmade(kind: str) -> None:
    """But for what AWS makes itself, and what goes with something else."""
    verbs = {action.partition(":")[2] for action in ACTIONS[kind]}
    reads = ("Describe", "Get", "List")
    undoes = (
        *("Delete", "Detach", "Disassociate", "Release", "Cancel", "Revoke", "ScheduleKeyDeletion"),
        "Remove",
    )
    assert any(verb.startswith(reads) for verb in verbs), "its state can't be read"
    assert any(verb.startswith(undoes) for verb in verbs), "destroy would fail"
