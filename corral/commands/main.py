"""`corral`: the subcommands, and what becomes of an error.

Exit codes: 0 done; 1 something failed; 2 bad input (a stack file, an argument);
3 `plan --expect-no-changes` found changes; 4 a policy was violated; 5 `network explain` says no.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from corral.commands import check, cluster, destroy, doctor, network, plan, status, up
from corral.commands.screen import Screen
from corral.kubernetes import Unreachable

app = typer.Typer(
    name="corral",
    help="A guarded place where AI coding agents run for days.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: corral up local",
)
app.command("up")(up.up)
app.command("plan")(plan.plan)
app.command("destroy")(destroy.destroy)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.command("check")(check.check)
app.add_typer(cluster.app, name="cluster")
app.add_typer(network.app, name="network")


@app.callback()
def _project(
    directory: Annotated[
        Path | None,
        typer.Option("--directory", "-C", help="Work on the project in this folder."),
    ] = None,
) -> None:
    if directory is not None:
        if not directory.is_dir():
            raise typer.BadParameter(f"{directory} is not a folder", param_hint="--directory")
        os.chdir(directory)


_WAY_THERE = (
    "\nWhat runs, and where to look: `corral cluster status` for the embedded cluster, `corral up` "
    "starts it again; `corral doctor STACK` for one of yours"
)


def run() -> None:
    """The entry point: an error for people is its text, anything else is our bug and says so."""
    try:
        app()
    except KeyboardInterrupt:
        Screen().error("interrupted; nothing is lost: the same command goes on where it stopped")
        sys.exit(130)
    except Exception as error:
        if getattr(error, "user_facing", False):
            hint = _WAY_THERE if isinstance(error, Unreachable) else ""
            Screen().error(f"{error}{hint}")
            sys.exit(getattr(error, "exit_code", 1))
        log = _crash_log(error)
        Screen().error(
            f"corral itself failed ({type(error).__name__}). That is a defect of ours. "
            f"Details: {log}"
        )
        sys.exit(1)


def _crash_log(error: Exception) -> str:
    """Writes the traceback where it can be sent from; it may be read-only here."""
    text = "".join(traceback.format_exception(error))
    for folder in (Path(".corral"), Path(os.environ.get("TMPDIR", "/tmp"))):  # noqa: S108
        try:
            folder.mkdir(exist_ok=True, mode=0o700)
            path = folder / "crash.log"
            path.write_text(text, encoding="utf-8")
        except OSError:
            continue
        return str(path.resolve())
    sys.stderr.write(text)
    return "above"
