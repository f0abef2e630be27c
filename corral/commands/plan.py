"""`corral plan`: what `up` would do, from nothing but the program or against the live cluster."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from corral.commands import options
from corral.commands.capacity import capacity_document, show_capacity
from corral.commands.charts import PinnedHelm
from corral.commands.embedded_engine import engine_for
from corral.commands.options import EngineChoice
from corral.commands.pulumi_engine import pulumi_plan
from corral.commands.reports import report_document, show_report
from corral.commands.screen import Screen, write_json
from corral.commands.stacks import Stack, open_stack
from corral.embedded.engine.offline import plan_offline
from corral.errors import UserError

CHANGES = 3


def plan(
    stack: options.Stack,
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="No cluster, engine or credentials: resources only.")
    ] = False,
    json: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Write the plan there; - is stdout."),
    ] = None,
    expect_no_changes: Annotated[
        bool, typer.Option("--expect-no-changes", help="Exit code 3 when there are changes.")
    ] = False,
    engine: options.Engine = EngineChoice.AUTO,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    quiet: options.Quiet = False,
    workers: options.Workers = 8,
    adopt: options.Adopt = False,
    local_backend: options.LocalBackend = False,
) -> None:
    """Show what `up` would do. With --offline: the resources that the program registers.

    Examples: corral plan local · corral plan prod --offline --json plan.json
    """
    screen = Screen(quiet=quiet)
    opened = open_stack(stack, engine=engine, kubeconfig=kubeconfig, context=context)
    if offline:
        _offline(opened, screen=screen, json=json)
        return
    if opened.engine is EngineChoice.PULUMI:
        changed = _pulumi(opened, screen=screen, json=json, local_backend=local_backend)
    else:
        changed = _embedded(opened, screen=screen, json=json, workers=workers, adopt=adopt)
    if expect_no_changes and changed:
        raise typer.Exit(CHANGES)


def _offline(stack: Stack, *, screen: Screen, json: str | None) -> None:
    resources = plan_offline(
        project=stack.project.root,
        stack=stack.name,
        config=stack.config,
        charts=PinnedHelm(stack.project.root, screen, fetches=False),
        unexpanded=lambda reason: screen.note(f"note: {reason}", style="yellow"),
    )
    documents: list[dict[str, Any]] = [resource.as_document() for resource in resources]
    if json is not None:
        write_json({"resources": documents, **capacity_document(stack.settings)}, json)
    if json != "-":
        counts = Counter(document["type"] for document in documents)
        screen.table(
            f"stack {stack.name} registers {len(documents)} resources",
            ("type", "count"),
            [(kind, str(count)) for kind, count in sorted(counts.items())],
        )
        show_capacity(screen, stack.settings)


def _embedded(stack: Stack, *, screen: Screen, json: str | None, workers: int, adopt: bool) -> bool:
    carrier, _ = engine_for(stack, screen=screen, workers=workers, start=False, adopt=adopt)
    report = carrier.plan()
    if json is not None:
        write_json(report_document(report), json)
    if json != "-":
        show_report(screen, report, fields=True)
    if not report.ok:
        raise UserError("the plan has failures; `up` would stop at them")
    return report.changed


def _pulumi(stack: Stack, *, screen: Screen, json: str | None, local_backend: bool) -> bool:
    changes = pulumi_plan(stack, screen=screen, local_backend=local_backend)
    if json is not None:
        write_json({"changes": changes, **capacity_document(stack.settings)}, json)
    if json != "-":
        show_capacity(screen, stack.settings)
    return any(count for change, count in changes.items() if change != "same")
