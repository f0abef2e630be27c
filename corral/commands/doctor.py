"""`corral doctor`: looks at everything that `up` will need, and changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import typer

from corral.commands import options
from corral.commands.charts import PinnedHelm
from corral.commands.offline import planned
from corral.commands.pulumi_engine import cli_version
from corral.commands.screen import Screen, write_json
from corral.commands.stacks import Stack, open_stack
from corral.embedded.engine.offline import PlanFailed, PlannedResource
from corral.local_cluster import embedded_cluster
from corral.preflight.charts import look_at_charts
from corral.preflight.cluster import look_at_cluster
from corral.preflight.container_images import look_at_container_images
from corral.preflight.finding import Finding, Grade, as_document, failure, ok, warning
from corral.preflight.machine import look_at_machine, look_at_programs, look_at_pulumi
from corral.preflight.stack_secrets import look_at_stack_secrets
from corral.settings.cluster import EksCluster
from corral.settings.layers import Layer


def doctor(
    stack: options.Stack,
    *,
    engine: options.Engine = options.EngineChoice.AUTO,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    json: options.Json = False,
) -> None:
    """Look at what `up` will need, read-only: machine, stack file, AWS account, cluster.

    Example: corral doctor local
    """
    opened = open_stack(stack, engine=engine, kubeconfig=kubeconfig, context=context)
    screen = Screen()
    findings = list(examine(opened, screen))
    if json:
        write_json(as_document(findings), "-")
    else:
        _show(findings, screen)
    if any(finding.grade is Grade.FAILURE for finding in findings):
        raise typer.Exit(1)


def examine(stack: Stack, screen: Screen) -> Iterator[Finding]:
    """Every finding, in the order in which `up` would meet them."""
    yield ok(f"stack file of {stack.name} is valid")
    yield from look_at_machine(stack.project.root)
    if stack.engine is options.EngineChoice.PULUMI:
        yield look_at_pulumi(cli_version())
    if stack.simulated:
        yield from look_at_programs()
    for part in stack.parts:
        if Layer.PLATFORM in part.layers:
            name, root = part.name.rpartition("/")[2], stack.project.root
            yield from look_at_stack_secrets(stack.settings, stack=name, root=root)
    try:
        plan = _plan(stack, screen)
    except PlanFailed as error:
        yield failure(
            f"the program can't be planned: {error}",
            why="`up` runs it",
            fix="correct the stack file; if it is right, that is a defect of ours",
        )
        return
    yield from look_at_charts(plan, stack.project.root)
    if not stack.simulated:
        yield from look_at_container_images(plan)
    yield from _account(stack, plan)
    yield from _cluster(stack, plan)


def _plan(stack: Stack, screen: Screen) -> list[PlannedResource]:
    """What the program registers. Charts that can't be expanded here stand in it all the same."""
    charts = PinnedHelm(stack.project.root, screen, fetches=False)
    return planned(stack, charts=charts, unexpanded=lambda _reason: None)


def _account(stack: Stack, plan: Collection[PlannedResource]) -> Iterator[Finding]:
    settings = stack.settings
    if settings.aws is None or not isinstance(settings.cluster, EksCluster):
        return
    # botocore and the texts of nodes take a moment, and are needed for this alone.
    from corral.preflight.aws.account import examine_account  # noqa: PLC0415
    from corral.preflight.downloads import look_at_downloads  # noqa: PLC0415

    yield from look_at_downloads(settings)
    yield from examine_account(
        [part.name.rpartition("/")[2] for part in stack.with_earlier],
        settings=settings,
        aws=settings.aws,
        cluster=settings.cluster,
        plan=plan,
    )


def _cluster(stack: Stack, plan: Collection[PlannedResource]) -> Iterator[Finding]:
    if stack.simulated and not embedded_cluster(stack.project.state).status().running:
        yield ok("embedded cluster is not running; `up` starts it")
        return
    cluster, aws = stack.settings.cluster, stack.settings.aws
    if isinstance(cluster, EksCluster) and not _kept_kubeconfig(stack):
        yield ok(f"no kubeconfig of {stack.access.context} here yet; `up` makes cluster and file")
        if aws is not None and not cluster.public_access:
            yield warning(
                f"the API server of {cluster.name} will answer in its network alone, "
                f"{aws.network.cidr}",
                why="`up` talks to it from this machine as soon as it stands: no node gets ready "
                "before Calico is there",
                fix="run `up` from within that network, or name this machine's own in "
                "cluster.public-access",
            )
        return
    yield from look_at_cluster(stack.access, name=stack.name, settings=stack.settings, plan=plan)


def _kept_kubeconfig(stack: Stack) -> bool:
    return Path(stack.access.kubeconfig).is_file()


def _show(findings: list[Finding], screen: Screen) -> None:
    signs = {Grade.OK: "ok      ", Grade.WARNING: "warning ", Grade.FAILURE: "FAILURE "}
    styles = {Grade.OK: "", Grade.WARNING: "yellow", Grade.FAILURE: "bold red"}
    for finding in findings:
        screen.result(signs[finding.grade] + finding.what, style=styles[finding.grade])
        if finding.why:
            screen.result(f"         why: {finding.why}\n         fix: {finding.fix}")
    counts = Counter(finding.grade for finding in findings)
    screen.result(
        f"{counts[Grade.OK]} ok, {counts[Grade.WARNING]} warnings, {counts[Grade.FAILURE]} failures"
    )
