"""`corral destroy`: takes away what the stack put on its cluster, after asking."""

from __future__ import annotations

import typer

from corral.commands import options
from corral.commands.embedded_engine import engine_for
from corral.commands.options import EngineChoice
from corral.commands.pulumi_engine import pulumi_destroy
from corral.commands.reports import report_document, show_report
from corral.commands.screen import Screen, write_json
from corral.commands.stacks import open_stack
from corral.errors import UserError


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
) -> None:
    """Remove everything that the stack created on its cluster. Protected objects stop it.

    Example: corral destroy local --yes
    """
    screen = Screen(quiet=quiet)
    opened = open_stack(stack, engine=engine, kubeconfig=kubeconfig, context=context)
    if opened.engine is EngineChoice.PULUMI:
        if not yes:
            typer.confirm(f"Destroy everything of stack {stack}?", abort=True, err=True)
        changes = pulumi_destroy(opened, screen=screen, local_backend=local_backend)
        if json:
            write_json({"changes": changes}, "-")
        return
    carrier, _ = engine_for(opened, screen=screen, workers=workers, start=False)
    report = carrier.destroy(lambda summary: yes or _ask(screen, str(summary)))
    show_report(screen, report)
    if json:
        write_json(report_document(report), "-")
    if not report.ok:
        raise UserError("not everything is gone; the same command goes on where this stopped")


def _ask(screen: Screen, summary: str) -> bool:
    screen.note(summary)
    return typer.confirm("Destroy all of this?", err=True)
