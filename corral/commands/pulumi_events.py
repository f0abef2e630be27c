"""Pulumi's stream of events as the same lines that the embedded engine's progress has."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import TYPE_CHECKING

from corral.commands.embedded_engine import NOTE_EVERY
from corral.commands.reports import short_urn
from corral.commands.screen import Screen

if TYPE_CHECKING:
    from pulumi.automation.events import DiagnosticEvent, EngineEvent, StepEventMetadata

# Pulumi's messages carry colour directives such as <{%reset%}>.
_COLOUR = re.compile(r"<\{%[^%]*%\}>")
# The Python host ends a program that is cancelled by an interrupt, and prints that.
_CANCELLED = "KeyboardInterrupt"
_REPLACES = "replace"


class PulumiEvents:
    """Shows progress once a second, each replacement with the inputs that cause it, and each
    warning or error once; `errors` keeps the errors, `replaced` the inputs by URN."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._counts: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._shown = time.monotonic()
        self._stderr: list[str] = []
        self.errors: list[str] = []
        self.replaced: dict[str, tuple[str, ...]] = {}

    def __call__(self, event: EngineEvent) -> None:
        if event.resource_pre_event is not None:
            self._replacement(event.resource_pre_event.metadata)
        if event.res_outputs_event is not None:
            self._counts[str(event.res_outputs_event.metadata.op.value)] += 1
            self._progress()
        if event.diagnostic_event is not None:
            self._message(event.diagnostic_event)

    def stderr(self) -> str:
        """What the program wrote to stderr; nothing where that is how the host ended it."""
        text = "\n".join(line for line in self._stderr if line)
        return "" if _CANCELLED in text else text

    def _replacement(self, step: StepEventMetadata) -> None:
        if step.op.value != _REPLACES or step.urn in self.replaced:
            return
        causes = tuple(step.keys or step.diffs or ())
        self.replaced[step.urn] = causes
        protected = ", which is protected" if step.old is not None and step.old.protect else ""
        because = f": {', '.join(causes)} changes" if causes else ""
        self._screen.note(f"note: replaces {short_urn(step.urn)}{protected}{because}", style="red")

    def _progress(self) -> None:
        now = time.monotonic()
        if now - self._shown >= NOTE_EVERY:
            self._shown = now
            counted = ", ".join(f"{count} {what}" for what, count in self._counts.items())
            self._screen.step("resources", counted)

    def _message(self, event: DiagnosticEvent) -> None:
        text = _COLOUR.sub("", event.message).strip()
        if event.severity == "info#err":
            self._stderr.append(text)
        if event.ephemeral or not text or text in self._seen or event.severity == "info#err":
            return
        self._seen.add(text)
        where = f"{short_urn(event.urn)}: " if event.urn else ""
        if event.severity == "error":
            self.errors.append(f"{where}{text}")
        elif event.severity == "warning":
            self._screen.note(f"note: {where}{text}", style="yellow")
        elif event.severity != "debug":
            self._screen.step(text)
