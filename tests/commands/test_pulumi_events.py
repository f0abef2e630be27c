"""What a person sees of Pulumi's stream of events."""

from __future__ import annotations

import pytest
from pulumi.automation.events import DiagnosticEvent, EngineEvent, ResourcePreEvent

from corral.commands.pulumi_events import PulumiEvents
from corral.commands.screen import Screen


def said(message: str, severity: str) -> EngineEvent:
    return EngineEvent(
        sequence=1,
        timestamp=1,
        diagnostic_event=DiagnosticEvent(message=message, color="never", severity=severity),
    )


def test_each_error_is_kept_once_and_without_colour() -> None:
    events = PulumiEvents(Screen(quiet=True))
    for _ in range(2):
        events(said("<{%reset%}>it broke<{%reset%}>\n", "error"))
    assert events.errors == ["it broke"]


def test_the_traceback_of_a_cancelled_program_is_not_shown() -> None:
    events = PulumiEvents(Screen(quiet=True))
    for line in ("Traceback (most recent call last):", "  File x", "KeyboardInterrupt"):
        events(said(line, "info#err"))
    assert events.stderr() == ""


def test_what_a_program_writes_to_stderr_is_kept() -> None:
    events = PulumiEvents(Screen(quiet=True))
    events(said("no such thing", "info#err"))
    assert events.stderr() == "no such thing"


def test_warnings_go_to_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    PulumiEvents(Screen())(said("mind the gap", "warning"))
    assert "mind the gap" in capsys.readouterr().err


def step(op: str, *, protect: bool = False, keys: list[str] | None = None) -> EngineEvent:
    urn = "urn:pulumi:prod::corral::corral:aws:Network$aws:ec2/vpc:Vpc::vpc"
    state = {"urn": urn, "type": "aws:ec2/vpc:Vpc", "protect": protect}
    metadata = {"op": op, "urn": urn, "type": "aws:ec2/vpc:Vpc", "keys": keys, "old": state}
    return EngineEvent(
        sequence=1,
        timestamp=1,
        resource_pre_event=ResourcePreEvent.from_json({"metadata": metadata}),
    )


def test_a_replacement_is_named_once_with_the_inputs_that_cause_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    events = PulumiEvents(Screen())
    for op in ("create-replacement", "replace", "replace", "delete-replaced"):
        events(step(op, protect=True, keys=["cidrBlock"]))
    said = capsys.readouterr().err
    assert said.count("replaces") == 1
    assert "replaces aws:ec2/vpc:Vpc vpc, which is protected: cidrBlock changes" in said
    assert list(events.replaced.values()) == [("cidrBlock",)]


def test_an_update_is_no_replacement(capsys: pytest.CaptureFixture[str]) -> None:
    events = PulumiEvents(Screen())
    events(step("update"))
    assert events.replaced == {}
    assert capsys.readouterr().err == ""
