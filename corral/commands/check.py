"""`corral check`: the policy rules over what the program registers, without engine or cluster."""

from __future__ import annotations

import typer

from corral.commands import options
from corral.commands.screen import write_json
from corral.commands.stacks import open_stack
from corral.embedded.engine.offline import plan_offline

VIOLATED = 4


def check(stack: options.Stack, json: options.Json = False) -> None:
    """Judge everything that the stack would register by the policy rules. Needs no cluster.

    Exit code 4 when a rule is violated. Example: corral check local --json
    """
    opened = open_stack(stack)
    resources = plan_offline(project=opened.project.root, stack=opened.name, config=opened.config)
    from corral.policy.check import judge_resources

    found = judge_resources([resource.as_document() for resource in resources])
    if json:
        write_json({"resources": len(resources), "violations": [v.__dict__ for v in found]}, "-")
    else:
        _show(found, len(resources))
    if found:
        raise typer.Exit(VIOLATED)
