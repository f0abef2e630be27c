"""What a person sees of Pulumi's stream of events."""

from __future__ import annotations

import pytest
from pulumi.automation.events import DiagnosticEvent, EngineEvent

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
