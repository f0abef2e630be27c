"""`corral plan`: what `up` would do, from nothing but the program or against the live cluster."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from corral.commands import options
from corral.commands.blind_spots import blind_spots_document, show_blind_spots
from corral.commands.capacity import capacity_document, show_capacity
from corral.commands.charts import PinnedHelm
from corral.commands.embedded_engine import embedded_reports
from corral.commands.offline import planned
from corral.commands.options import EngineChoice
from corral.commands.pulumi_engine import missing_before, pulumi_plan
from corral.commands.replacements import resource_document, show_replacements
from corral.commands.reports import reports_document, show_report
from corral.commands.screen import Screen, write_json
from corral.commands.stacks import Stack, announce, open_stack
from corral.commands.ways_out import show_closed
from corral.errors import UserError

CHANGES = 3

LOOKED_AT = ("same", "read")
"""What Pulumi counts beside changes: resources that stay as they are or are only looked at."""


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
    resources = planned(
        stack,
        charts=PinnedHelm(stack.project.root, screen, fetches=False),
        unexpanded=lambda reason: screen.note(f"note: {reason}", style="yellow"),
    )
    documents: list[dict[str, Any]] = [resource_document(resource) for resource in resources]
    if json is not None:
        unseen = blind_spots_document(stack.settings)
        write_json({"resources": documents, **capacity_document(stack.settings), **unseen}, json)
    if json != "-":
        counts = Counter(document["type"] for document in documents)
        screen.table(
            f"stack {stack.name} registers {len(documents)} resources",
            ("type", "count"),
            [(kind, str(count)) for kind, count in sorted(counts.items())],
        )
        for part in stack.parts if len(stack.parts) > 1 else ():
            count = sum(resource.urn.split(":", 3)[2] == part.name for resource in resources)
            screen.result(f"{count:>5} of them in stack {part.name}")
        show_replacements(screen, resources)
        show_closed(screen, stack.settings)
        show_blind_spots(screen, stack.settings)
        show_capacity(screen, stack.settings)


def _embedded(stack: Stack, *, screen: Screen, json: str | None, workers: int, adopt: bool) -> bool:
    reports = []
    for report in embedded_reports(
        "plan", stack, screen=screen, workers=workers, start=False, adopt=adopt
    ):
        reports.append(report)
        if json != "-":
            show_report(screen, report, fields=True)
    show_closed(screen, stack.settings)
    show_blind_spots(screen, stack.settings)
    if json is not None:
        unseen = blind_spots_document(stack.settings)
        write_json({**reports_document(reports), **unseen}, json)
    if not all(report.ok for report in reports):
        raise UserError("the plan has failures; `up` would stop at them")
    return any(report.changed for report in reports)


def _pulumi(stack: Stack, *, screen: Screen, json: str | None, local_backend: bool) -> bool:
    changes: Counter[str] = Counter()
    unplanned: list[str] = []
    for part in stack.parts:
        missing = missing_before(part, screen=screen, local_backend=local_backend)
        if missing:
            unplanned.append(part.name)
            screen.note(
                f"note: {part.name} takes outputs of {missing}, which isn't up yet: it can be "
                "planned once that is, and without an engine by --offline",
                style="yellow",
            )
            continue
        announce(screen, stack, part)
        changes.update(pulumi_plan(part, screen=screen, local_backend=local_backend))
    if json is not None:
        missed = {"unplanned": unplanned} if unplanned else {}
        capacity, unseen = capacity_document(stack.settings), blind_spots_document(stack.settings)
        write_json({"changes": changes, **missed, **capacity, **unseen}, json)
    show_closed(screen, stack.settings)
    show_blind_spots(screen, stack.settings)
    if json != "-":
        show_capacity(screen, stack.settings)
    return bool(unplanned) or any(n for change, n in changes.items() if change not in LOOKED_AT)
