"""What a destroy says of definitions that it leaves on somebody else's cluster."""

from __future__ import annotations

import pytest

from corral.commands.screen import Screen
from corral.commands.stacks import open_stack
from corral.commands.teardown import Teardown
from tests.project_copy import ROOT


@pytest.fixture
def teardown(monkeypatch: pytest.MonkeyPatch) -> Teardown:
    monkeypatch.chdir(ROOT)
    return Teardown(stack=open_stack("metal-example"), screen=Screen(), minutes=None)


def test_they_are_named_with_the_reason_and_the_command_that_removes_them(
    teardown: Teardown, capsys: pytest.CaptureFixture[str]
) -> None:
    found = teardown.left(["probes.monitoring.coreos.com", "logicalvolumes.topolvm.io"])
    said = " ".join(capsys.readouterr().err.split())
    assert "kept: 2 definitions of kinds" in said
    assert "whoever made it" in said
    assert (
        "--context agents-metal delete customresourcedefinitions "
        "logicalvolumes.topolvm.io probes.monitoring.coreos.com"
    ) in said
    assert found["definitions"] == ["logicalvolumes.topolvm.io", "probes.monitoring.coreos.com"]


def test_nothing_is_said_where_none_is_left(
    teardown: Teardown, capsys: pytest.CaptureFixture[str]
) -> None:
    assert teardown.left([]) == {"kept": [], "definitions": []}
    assert not capsys.readouterr().err
