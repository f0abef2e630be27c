"""`corral up`: from a stack file to a running, guarded platform."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Annotated

import typer

from corral.commands import options
from corral.commands.demonstration import Placement, demonstrate
from corral.commands.embedded_engine import embedded_reports
from corral.commands.options import EngineChoice
from corral.commands.pulumi_engine import pulumi_up
from corral.commands.readiness import assure, await_quotas
from corral.commands.reports import reports_document, show_report
from corral.commands.screen import Screen, write_json
from corral.commands.stacks import Stack, announce, open_stack
from corral.commands.ways_out import show_closed
from corral.errors import UserError
from corral.kubernetes import Api
from corral.local_cluster import start_cluster
from corral.settings.layers import Layer


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
    show_closed(screen, opened.settings)
    placements = _see_ready(opened, screen, show=demonstration)
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


def _see_ready(stack: Stack, screen: Screen, *, show: bool) -> list[Placement]:
    """Returns when the tenants' namespaces were seen to be ready. Without tenants there is nothing
    to see."""
    if Layer.TENANTS not in stack.layers:
        return []
    api = Api.connect(stack.access)
    screen.step("ready", f"{await_quotas(api)} quotas count")
    for assurance in assure(api, stack.settings):
        refused = " and ".join(assurance.refusals)
        screen.step("ready", f"{assurance.namespace} takes a good sandbox, refuses {refused}")
    return demonstrate(api, stack.settings) if show and stack.simulated else []


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
        changes: Counter[str] = Counter()
        for part in stack.parts:
            announce(screen, stack, part)
            changes.update(pulumi_up(part, screen=screen, local_backend=local_backend))
        return {"changes": changes}
    reports = []
    for report in embedded_reports(
        "up", stack, screen=screen, workers=workers, start=True, adopt=adopt
    ):
        reports.append(report)
        show_report(screen, report)
        if not report.ok:
            raise UserError(
                f"{len(report.failures)} of {report.registered} resources failed; what was done "
                "stays. Put the cause right and run the same command again"
            )
    return reports_document(reports)


def _show_placements(screen: Screen, placements: list[Placement]) -> None:
    if not placements:
        return
    screen.table(
        "One sandbox of each agent class, placed by the real scheduler on simulated nodes "
        "(nothing runs in them), and taken away again",
        ("agent class", "tenant", "RuntimeClass", "pool", "phase (simulated)"),
        [(p.agent_class, p.tenant, p.runtime_class, p.pool, p.phase) for p in placements],
    )
