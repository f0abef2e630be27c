"""`corral cluster`: the embedded cluster by itself."""

from __future__ import annotations

from pathlib import Path

import typer

from corral.commands import options
from corral.commands.screen import Screen, write_json
from corral.commands.stacks import open_stack
from corral.errors import BadInput
from corral.local_cluster import embedded_cluster, start_cluster
from corral.project import find_project

app = typer.Typer(
    help="The embedded cluster by itself: start, status, stop, reset.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def start(stack: options.Stack, quiet: options.Quiet = False) -> None:
    """Start the cluster with the stack's pools as simulated nodes, and nothing on it.

    Example: corral cluster start local && export KUBECONFIG=$PWD/.corral/kubeconfig
    """
    screen = Screen(quiet=quiet)
    opened = open_stack(stack)
    if not opened.simulated:
        raise BadInput(f"Stack {stack} has a cluster of its own; there is nothing to start")
    start_cluster(state=opened.project.state, pools=opened.settings.pools, progress=screen)
    screen.note(f"kubeconfig: {opened.project.state / 'kubeconfig'}")


@app.command()
def status(json: options.Json = False) -> None:
    """Which of its processes run, since when, and the last words of one that doesn't."""
    parts = embedded_cluster(find_project(Path.cwd()).state).status()
    if json:
        write_json(parts.as_document(), "-")
        return
    rows = [
        (p.name, "runs" if p.running else "absent", str(p.pid or ""), p.version, str(p.log))
        for p in parts.parts
    ]
    Screen().table("embedded cluster", ("part", "state", "pid", "version", "log"), rows)
    for part in parts.parts:
        if not part.running and part.last_lines:
            Screen().note(f"\n{part.name} ended. Its last words:\n" + "\n".join(part.last_lines))


@app.command()
def stop(quiet: options.Quiet = False) -> None:
    """End its processes. What is on it stays, for the next start."""
    screen = Screen(quiet=quiet)
    embedded_cluster(find_project(Path.cwd()).state).stop()
    screen.note(
        "stopped; `corral up local` goes on where it was, `corral cluster reset` forgets it"
    )


@app.command()
def reset(yes: options.Yes = False, quiet: options.Quiet = False) -> None:
    """End its processes and remove all that is on it. Cached binaries stay."""
    if not yes:
        typer.confirm("Remove the embedded cluster and everything on it?", abort=True)
    embedded_cluster(find_project(Path.cwd()).state).reset()
    Screen(quiet=quiet).note("reset; the next start begins from nothing")
