"""The embedded engine for one stack: its cluster up, its events on the screen."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Literal

from corral.commands.charts import PinnedHelm
from corral.commands.screen import Screen
from corral.commands.stacks import Stack, announce, reference
from corral.embedded.cluster import ClusterStatus
from corral.embedded.engine.engine import Engine
from corral.embedded.engine.registration import Document
from corral.embedded.engine.report import Event, Report
from corral.errors import BadInput
from corral.kubernetes import Api, Retries
from corral.local_cluster import embedded_cluster, start_cluster
from corral.settings.stack_secrets import needed_secrets

NOTE_EVERY = 1.0
"""Seconds between two lines of progress."""
_NOTE = "note"
"""An event that is a text alone: what is waited for, and nothing done."""


class EventLines:
    """Turns the engine's stream of events into a line of progress a second."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._counts: dict[str, int] = {}
        self._begun = self._shown = time.monotonic()

    def __call__(self, event: Event) -> None:
        if event.action != _NOTE:
            self._counts[event.action] = self._counts.get(event.action, 0) + 1
        now = time.monotonic()
        if now - self._shown < NOTE_EVERY:
            return
        self._shown = now
        if event.action == _NOTE:
            self._screen.step("waiting", event.text)
            return
        done = sum(self._counts.values())
        counted = ", ".join(f"{count} {action}" for action, count in self._counts.items())
        self._screen.step("objects", f"{counted} ({done / (now - self._begun):.0f} a second)")


def engine_for(
    stack: Stack,
    *,
    screen: Screen,
    workers: int,
    start: bool,
    adopt: bool = False,
    references: Mapping[str, Document] | None = None,
) -> tuple[Engine, Api]:
    """The engine and the client it uses. `references` are the outputs of stacks before it. `start`
    brings an embedded cluster up first; without it a
    cluster that isn't running is an error."""
    if stack.simulated:
        if start:
            start_cluster(state=stack.project.state, pools=stack.settings.pools, progress=screen)
        else:
            _insist(embedded_cluster(stack.project.state).status(), stack.name)
    api = Api.connect(
        stack.access,
        connections=workers,
        retries=Retries(),
        notify=lambda text: screen.step("waiting", text),
    )
    engine = Engine(
        project=stack.project.root,
        stack=stack.name,
        config=stack.config,
        api=api,
        withhold=stack.simulated,
        workers=workers,
        adopt=adopt,
        on_event=EventLines(screen),
        charts=PinnedHelm(stack.project.root, screen, api),
        references=references,
    )
    return engine, api


def embedded_reports(
    operation: Literal["up", "plan"],
    stack: Stack,
    *,
    screen: Screen,
    workers: int,
    start: bool,
    adopt: bool,
) -> Iterator[Report]:
    """Does it to each part of the stack, from the bottom up, with what the ones before it hand
    over; nothing more after one that failed."""
    if operation == "up":
        _insist_on_none(stack)
    handed_over: dict[str, Document] = {}
    for part in stack.parts:
        announce(screen, stack, part)
        carrier, _ = engine_for(
            part, screen=screen, workers=workers, start=start, adopt=adopt, references=handed_over
        )
        report = carrier.up() if operation == "up" else carrier.plan()
        handed_over[reference(part)] = dict(report.outputs)
        yield report
        if not report.ok:
            return


def _insist_on_none(stack: Stack) -> None:
    """BadInput for a stack with secrets, which this engine can't decrypt: what it would make of
    them would let nobody in, and alerts would be told to nobody."""
    if needed := needed_secrets(stack.settings):
        named = ", ".join(f"{name} ({where})" for name, where in needed.items())
        raise BadInput(
            f"{stack.name} needs stack secrets, which Pulumi alone decrypts: {named}. Bring it up "
            f"with `corral up {stack.name} --engine pulumi`, or remove from the settings what "
            "needs them; `corral plan` works either way"
        )


def _insist(status: ClusterStatus, stack: str) -> None:
    """BadInput unless the cluster runs as a whole; what died is named with its last words."""
    if status.running:
        return
    died = "".join(
        f"\n{part.name} ended without being told to. Its last words in {part.log}:\n    "
        + "\n    ".join(part.last_lines)
        for part in status.died
    )
    raise BadInput(
        f"The embedded cluster is not running: corral up {stack} starts it "
        f"(or, to plan without one: --offline){died}"
    )
