"""What an offline plan says of replacement."""

from __future__ import annotations

from typing import Any

import pytest

from corral.commands.replacements import resource_document, show_replacements
from corral.commands.screen import Screen
from corral.embedded.engine.offline import PlannedResource


def planned(token: str, inputs: dict[str, Any], *, protect: bool) -> PlannedResource:
    return PlannedResource(
        urn=f"urn:pulumi:s::p::{token}::one",
        type=token,
        name="one",
        parent=None,
        dependencies=(),
        protect=protect,
        inputs=inputs,
    )


VPC = planned("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16", "tags": {}}, protect=True)
KEY = planned("aws:kms/key:Key", {"enableKeyRotation": True}, protect=True)
QUEUE = planned("aws:sqs/queue:Queue", {"name": "q"}, protect=False)
NAMESPACE = planned("kubernetes:core/v1:Namespace", {"metadata": {"name": "n"}}, protect=True)


def test_a_resource_carries_the_inputs_that_replace_it() -> None:
    assert resource_document(VPC)["replacedBy"] == ["cidrBlock"]
    assert resource_document(QUEUE)["replacedBy"] == ["name"]
    assert "replacedBy" not in resource_document(KEY)
    assert "replacedBy" not in resource_document(NAMESPACE)


def test_the_screen_shows_what_is_protected(capsys: pytest.CaptureFixture[str]) -> None:
    show_replacements(Screen(), [VPC, VPC, KEY, QUEUE, NAMESPACE])
    shown = capsys.readouterr().out
    [vpc] = [line for line in shown.splitlines() if "aws:ec2/vpc:Vpc" in line]
    assert vpc.split() == ["aws:ec2/vpc:Vpc", "2", "cidrBlock"]
    assert "nothing that is given" in shown
    assert "aws:sqs" not in shown
    assert "Namespace" not in shown


def test_where_nothing_is_protected_there_is_nothing_to_show(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_replacements(Screen(), [QUEUE, NAMESPACE])
    assert capsys.readouterr().out == ""
