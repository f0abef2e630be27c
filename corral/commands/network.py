"""`corral network`: what a tenant's sandboxes reach, told from the stack file; and attacks on the
cluster itself."""

from __future__ import annotations

from typing import Annotated, get_args

import typer

from corral.commands import options
from corral.commands.screen import Screen, write_json
from corral.commands.stacks import open_stack
from corral.errors import BadInput
from corral.settings.egress import Method

REFUSED = 5
"""Exit code of an answer that is no: a script that demands one doesn't take a failure for it."""

app = typer.Typer(
    help="What a tenant's sandboxes reach, and why; attacks on the cluster itself.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("explain")
def explain_command(
    stack: options.Stack,
    *,
    tenant: Annotated[str, typer.Option(help="Whose sandboxes.")],
    to: Annotated[
        str, typer.Option(metavar="HOST[:PORT]", help="Host and port; port 443 when left out.")
    ],
    method: Annotated[
        str, typer.Option(help="Of the request, for hosts with `inspect`; any when left out.")
    ] = "",
    path: Annotated[
        str, typer.Option(help="Of the request, for hosts with `inspect`; any when left out.")
    ] = "",
    websocket: Annotated[
        bool, typer.Option("--websocket", help="The request asks to become a WebSocket.")
    ] = False,
    resolves_to: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Judge this address as what DNS says of it.")
    ] = "",
    json: options.Json = False,
) -> None:
    """Say whether a tenant's sandboxes reach a host, by which rule of each wall, and what stays a
    risk. Goes by the stack file alone; needs no cluster.

    Exit code 0 when there is a way, 5 when there is none.

    Examples: corral network explain prod --tenant acme --to api.github.com ·
    corral network explain prod --tenant acme --to api.openai.com --method POST --path /v1/chat ·
    corral network explain prod --tenant acme --to 169.254.169.254:80
    """
    # The documents' modules take a moment, and no other command needs them.
    from corral.commands.network_reports import (  # noqa: PLC0415
        explanation_document,
        show_explanation,
    )
    from corral.network.advice import advice  # noqa: PLC0415
    from corral.network.deployed import network_of  # noqa: PLC0415
    from corral.network.explain import Question, explain  # noqa: PLC0415
    from corral.network.target import parse_address, parse_target  # noqa: PLC0415

    opened = open_stack(stack)
    network = network_of(opened.settings)
    if tenant not in network.lists:
        known = ", ".join(network.lists) or "none"
        raise BadInput(f"--tenant {tenant}: stack {stack} has no such tenant; it has {known}")
    question = Question(
        tenant=tenant,
        target=parse_target(to),
        method=_method(method),
        path=_path(path),
        websocket=websocket,
        resolves_to=parse_address(resolves_to) if resolves_to else None,
    )
    found = explain(network, question)
    told = advice(found, network.lists[tenant])
    if json:
        write_json({"stack": stack, **explanation_document(found, told)}, "-")
    else:
        screen = Screen()
        show_explanation(screen, found, told)
        if opened.simulated:
            screen.note("nothing runs on the embedded cluster: this is what its documents say")
    if not found.reachable:
        raise typer.Exit(REFUSED)


@app.command("test")
def test_command(
    stack: options.Stack,
    *,
    tenant: Annotated[
        str, typer.Option(help="Whose sandbox attacks; the first with egress when left out.")
    ] = "",
    agent_class: Annotated[
        str, typer.Option("--class", help="Its agent class; the tenant's first when left out.")
    ] = "",
    image: Annotated[
        str, typer.Option(help="Another image with Python 3.11 or newer, from a mirror of yours.")
    ] = "",
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Attack a live cluster's network from a short-lived sandbox of a tenant, and say of each
    attack whether its wall held. It takes about a minute, and leaves nothing behind.

    Exit code 0 when every attack was stopped, 1 when one got through or couldn't be judged.

    Example: corral network test prod --tenant acme
    """
    from corral.commands.network_attacks import (  # noqa: PLC0415 - see above
        attack,
        outcome_document,
        show_outcome,
    )

    opened = open_stack(stack, kubeconfig=kubeconfig, context=context)
    if opened.simulated:
        raise BadInput(
            f"Stack {stack} is on the embedded cluster: its nodes are simulated, no sandbox runs "
            "there and no policy is enforced, so nothing was tested. `corral network explain "
            f"{stack}` tells what its documents say; test a stack with a cluster of its own"
        )
    screen = Screen(quiet=quiet)
    outcome = attack(opened, screen, tenant=tenant, class_name=agent_class, image=image)
    if json:
        write_json({"stack": stack, **outcome_document(outcome)}, "-")
    else:
        show_outcome(screen, outcome)
    if not outcome.held:
        raise typer.Exit(1)


def _method(text: str) -> str:
    if text and text.upper() not in get_args(Method):
        raise BadInput(f"--method {text}: one of {', '.join(get_args(Method))}")
    return text.upper()


def _path(text: str) -> str:
    if text and not text.startswith("/"):
        raise BadInput(f"--path {text}: a path begins with /")
    return text
