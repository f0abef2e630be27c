"""`corral destroy`: takes away what the stack made, after asking, and after the cluster gave back
what it has in the cloud; then says what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from corral.commands import options
from corral.commands.embedded_engine import engine_for
from corral.commands.options import EngineChoice
from corral.commands.pulumi_engine import pulumi_destroy, pulumi_state
from corral.commands.reports import report_document, show_report
from corral.commands.screen import Screen, write_json
from corral.commands.stacks import Stack, announce, open_stack
from corral.commands.teardown import Teardown
from corral.embedded.engine.report import Action, Report
from corral.errors import UserError
from corral.teardown.state import StackState, refuse_foundation_of_others, refuse_protected

_DEFINITION = "CustomResourceDefinition.apiextensions.k8s.io"


def destroy(
    stack: options.Stack,
    *,
    engine: options.Engine = EngineChoice.AUTO,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    yes: options.Yes = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    workers: options.Workers = 8,
    local_backend: options.LocalBackend = False,
    drain: Annotated[
        bool,
        typer.Option(
            help="First delete what the cluster has in the cloud: load balancers, volumes, nodes."
        ),
    ] = True,
    drain_minutes: Annotated[
        int, typer.Option(min=1, max=240, help="Most minutes for each kind of it.")
    ] = 15,
) -> None:
    """Remove everything that the stack created. Protected things stop it before it begins.

    Interrupted, the same command goes on. Example: corral destroy local --yes
    """
    screen = Screen(quiet=quiet)
    opened = open_stack(stack, engine=engine, kubeconfig=kubeconfig, context=context)
    teardown = Teardown(stack=opened, screen=screen, minutes=drain_minutes if drain else None)
    if opened.engine is EngineChoice.PULUMI:
        document = _by_pulumi(teardown, yes=yes, local_backend=local_backend)
    else:
        document = _embedded(teardown, yes=yes, workers=workers)
    if json:
        write_json(document, "-")


def _by_pulumi(teardown: Teardown, *, yes: bool, local_backend: bool) -> dict[str, Any]:
    stack, screen = teardown.stack, teardown.screen

    def states_of(stacks: Sequence[Stack]) -> list[StackState]:
        return [pulumi_state(one, screen=screen, local_backend=local_backend) for one in stacks]

    states = states_of(stack.parts)
    refuse_foundation_of_others(states_of(stack.later))
    refuse_protected(states)
    if not yes:
        for state in states:
            screen.note(f"stack {state.stack}: {len(state.held)} resources")
        typer.confirm(f"Destroy everything of stack {stack.name}?", abort=True, err=True)
    teardown.drain(teardown.reached(states))
    changes: Counter[str] = Counter()
    for part, state in reversed(list(zip(stack.parts, states, strict=True))):
        if not state.resources:
            screen.step("stack", f"{part.name} holds nothing")
            continue
        announce(screen, stack, part)
        changes.update(pulumi_destroy(part, screen=screen, local_backend=local_backend))
    definitions = [name for state in states for name in state.left_definitions]
    return {"changes": changes, **teardown.left(definitions)}


def _embedded(teardown: Teardown, *, yes: bool, workers: int) -> dict[str, Any]:
    stack, screen = teardown.stack, teardown.screen
    documents, definitions = [], []
    for part in reversed(stack.parts):
        announce(screen, stack, part)
        carrier, api = engine_for(part, screen=screen, workers=workers, start=False)

        def agreed(summary: object, api: Any = api) -> bool:
            """Asked once nothing protected stands in the way."""
            if not (yes or _ask(screen, str(summary))):
                return False
            if not stack.simulated:
                teardown.drain(api)
            return True

        report = carrier.destroy(agreed)
        show_report(screen, report)
        documents.append(report_document(report))
        definitions += released_definitions(report)
        if not report.ok:
            raise UserError("not everything is gone; the same command goes on where this stopped")
    whole = documents[0] if len(documents) == 1 else {"ok": True, "parts": documents}
    return {**whole, **teardown.left(definitions)}


def released_definitions(report: Report) -> list[str]:
    """Names of definitions that left the stack and stay in the cluster."""
    return [
        change.id
        for change in report.changes
        if change.action is Action.RELEASE and change.kind == _DEFINITION
    ]


def _ask(screen: Screen, summary: str) -> bool:
    screen.note(summary)
    return typer.confirm("Destroy all of this?", err=True)
