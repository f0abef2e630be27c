"""Arguments and options that several subcommands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class EngineChoice(StrEnum):
    """Who carries the program out."""

    AUTO = "auto"
    EMBEDDED = "embedded"
    PULUMI = "pulumi"


Stack = Annotated[
    str, typer.Argument(metavar="STACK", help="The stack: NAME of stacks/Pulumi.NAME.yaml.")
]
Engine = Annotated[
    EngineChoice,
    typer.Option(
        help="auto: embedded for an embedded cluster or --kubeconfig, Pulumi for all else."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")]
Kubeconfig = Annotated[
    Path | None,
    typer.Option(help="Use this cluster instead of the stack's; needs --context too."),
]
Context = Annotated[str | None, typer.Option(help="The context in --kubeconfig.")]
Workers = Annotated[
    int, typer.Option(min=1, max=64, help="Resources that the embedded engine handles at once.")
]
LocalBackend = Annotated[
    bool,
    typer.Option(
        "--local-backend",
        help="Allow Pulumi state in a file backend for a stack that others may share.",
    ),
]
Adopt = Annotated[
    bool,
    typer.Option("--adopt", help="Embedded engine: take over objects that are there already."),
]
