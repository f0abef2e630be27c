"""`corral up`: from a stack file to a running, guarded platform."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated

import typer

from corral.commands import options
from corral.commands.demonstration import Placement, demonstrate
from corral.commands.embedded_engine import engine_for
from corral.commands.options import EngineChoice
from corral.commands.pulumi_engine import pulumi_up
from corral.commands.readiness import assure, await_quotas
from corral.commands.reports import report_document, show_report
from corral.commands.screen import Screen, write_json
from corral.commands.stacks import Stack, open_stack
from corral.errors import UserError
from corral.kubernetes import Api
from corral.local_cluster import start_cluster


def up(
    stack: options.Stack,
    *,
    engine: options.Engine = EngineChoice.AUTO,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    yes: options.Yes = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    workers: options.Workers = 8,
    demonstration: Annotated[
        bool, typer.Option(help="Show one sandbox of each agent class (simulated nodes only).")
    ] = True,
    adopt: options.Adopt = False,
    local_backend: options.LocalBackend = False,
) -> None:
    """Bring the platform up, or up to date. Running it again changes only what differs.

    Examples: corral up local · corral up metal-example --kubeconfig k.yaml --context mine
    """
    begun = time.monotonic()
    screen = Screen(quiet=quiet)
    opened = open_stack(stack, engine=engine, kubeconfig=kubeconfig, context=context)
    _confirm(opened, yes=yes)
    result = _carry_out(
        opened, screen=screen, workers=workers, adopt=adopt, local_backend=local_backend
    )
    api = Api.connect(opened.access)
    screen.step("ready", f"{await_quotas(api)} quotas count")
    for assurance in assure(api, opened.settings):
        refused = " and ".join(assurance.refusals)
        screen.step("ready", f"{assurance.namespace} takes a good sandbox, refuses {refused}")
    placements = demonstrate(api, opened.settings) if demonstration and opened.simulated else []
    if json:
        write_json(
            {
                **result,
                "seconds": round(time.monotonic() - begun, 1),
                "placements": [placement.__dict__ for placement in placements],
            },
            "-",
        )
        return
    _show_placements(screen, placements)
    screen.step("up", f"{stack} is ready after {time.monotonic() - begun:.1f} s")
    if opened.simulated:
        screen.note(f"Look around: export KUBECONFIG={opened.access.kubeconfig}; kubectl get ns")


def _confirm(stack: Stack, *, yes: bool) -> None:
    """A cluster that isn't ours is named on the screen before anything is changed there."""
    if not stack.simulated and not yes:
        typer.confirm(
            f"Change the cluster of context {stack.access.context} in {stack.access.kubeconfig}?",
            abort=True,
            err=True,
        )


def _carry_out(
    stack: Stack, *, screen: Screen, workers: int, adopt: bool, local_backend: bool
) -> Mapping[str, object]:
    if stack.engine is EngineChoice.PULUMI:
        if stack.simulated:
            start_cluster(state=stack.project.state, pools=stack.settings.pools, progress=screen)
        return {"changes": pulumi_up(stack, screen=screen, local_backend=local_backend)}
    carrier, _ = engine_for(stack, screen=screen, workers=workers, start=True, adopt=adopt)
    report = carrier.up()
    show_report(screen, report)
    if not report.ok:
        raise UserError(
            f"{len(report.failures)} of {report.registered} resources failed; what was done stays. "
            "Put the cause right and run the same command again"
        )
    return report_document(report)


def _show_placements(screen: Screen, placements: list[Placement]) -> None:
    if not placements:
        return
    screen.table(
        "One sandbox of each agent class, placed by the real scheduler on simulated nodes "
        "(nothing runs in them), and taken away again",
        ("agent class", "tenant", "RuntimeClass", "pool", "phase (simulated)"),
        [(p.agent_class, p.tenant, p.runtime_class, p.pool, p.phase) for p in placements],
    )
