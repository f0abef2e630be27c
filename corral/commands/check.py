"""`corral check`: the policy rules over what the program registers, without engine or cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from corral.commands import options
from corral.commands.charts import PinnedHelm
from corral.commands.offline import planned
from corral.commands.reports import short_urn
from corral.commands.screen import Screen, write_json
from corral.commands.stacks import open_stack
from corral.policy.check import Finding, judge_all

VIOLATED = 4


def check(
    stack: options.Stack,
    *,
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Fetch nothing: charts that aren't here stay unjudged."),
    ] = False,
    json: options.Json = False,
) -> None:
    """Judge everything that the stack would register by the policy rules. Needs no cluster.

    Exit code 4 when a rule is violated. Examples: corral check local --json · corral check prod
    --offline
    """
    screen = Screen()
    opened = open_stack(stack)
    resources = planned(
        opened,
        charts=PinnedHelm(opened.project.root, screen, fetches=not offline),
        unexpanded=lambda reason: screen.note(f"not judged: {reason}", style="yellow"),
    )
    found = judge_all([resource.as_document() for resource in resources])
    violations = [finding for finding in found if not finding.undecided]
    if json:
        write_json(
            {
                "resources": len(resources),
                "violations": [asdict(finding) for finding in violations],
                "undecided": [asdict(finding) for finding in found if finding.undecided],
            },
            "-",
        )
    else:
        _show(screen, found, resources=len(resources), violations=len(violations))
    if violations:
        raise typer.Exit(VIOLATED)


def _show(screen: Screen, found: Sequence[Finding], *, resources: int, violations: int) -> None:
    for finding in found:
        state = "undecided" if finding.undecided else str(finding.severity)
        screen.result(f"{state:<10} {finding.rule}  {short_urn(finding.urn)}")
        screen.result(f"           {finding.message}")
    screen.result(f"{resources} resources judged: {violations} violations")
