"""`corral doctor`: looks at everything that `up` will need, and changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from corral.commands import options
from corral.commands.findings import Finding, Grade, as_document, failure, ok, warning
from corral.commands.pulumi_engine import cli_version
from corral.commands.screen import Screen, write_json
from corral.commands.stacks import Stack, open_stack
from corral.embedded.cluster import PROGRAMS, Binaries, default_cache
from corral.errors import UserError
from corral.kubernetes import Api, Retries
from corral.local_cluster import embedded_cluster
from corral.settings.cluster import EksCluster
from corral.settings.tiers import TIER_LABEL

GIB = 2**30
MEMORY_NEEDED = 2 * GIB  # the control plane takes about 1 GiB, the engine up to 450 MiB
DISK_NEEDED = 4 * GIB  # Go's build cache and the binaries, on a first start without a network

PATIENCE = 5.0  # seconds for a cluster that doesn't answer: a doctor doesn't wait for it to heal

# User namespaces and in-place resize are on by default from here; older API servers drop
# `hostUsers: false` silently, which would admit sandboxes without one.
OLDEST_KUBERNETES = (1, 33)

# What `up` creates; whoever runs it must be allowed to.
WRITES = (
    ("", "namespaces"),
    ("", "resourcequotas"),
    ("", "limitranges"),
    ("", "serviceaccounts"),
    ("", "configmaps"),
    ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("networking.k8s.io", "networkpolicies"),
    ("node.k8s.io", "runtimeclasses"),
    ("scheduling.k8s.io", "priorityclasses"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
)


def doctor(
    stack: options.Stack,
    *,
    engine: options.Engine = options.EngineChoice.AUTO,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    json: options.Json = False,
) -> None:
    """Look at what `up` will need, read-only: this machine, the stack file, engine and cluster.

    Example: corral doctor local
    """
    opened = open_stack(stack, engine=engine, kubeconfig=kubeconfig, context=context)
    findings = list(examine(opened))
    if json:
        write_json(as_document(findings), "-")
    else:
        _show(findings)
    if any(finding.grade is Grade.FAILURE for finding in findings):
        raise typer.Exit(1)


def examine(stack: Stack) -> Iterator[Finding]:
    """Every finding, in the order in which `up` would meet them."""
    yield ok(f"stack file of {stack.name} is valid")
    yield from _machine(stack)
    if stack.engine is options.EngineChoice.PULUMI:
        yield _pulumi()
    if stack.simulated:
        yield from _embedded(stack)
    elif isinstance(stack.settings.cluster, EksCluster) and not _kept_kubeconfig(stack):
        yield ok(f"no kubeconfig of {stack.access.context} here yet; `up` makes cluster and file")
    else:
        yield from _cluster(stack)


def _kept_kubeconfig(stack: Stack) -> bool:
    return Path(stack.access.kubeconfig).is_file()


def _machine(stack: Stack) -> Iterator[Finding]:
    yield ok(f"Python {platform.python_version()}")
    if not os.access(stack.project.root, os.W_OK):
        yield failure(
            f"{stack.project.root} is read-only",
            why="the embedded cluster keeps its state in .corral/ there",
            fix="work in a folder that you may write to",
        )


def _pulumi() -> Finding:
    version = cli_version()
    if version:
        return ok(f"Pulumi CLI {version}")
    return warning(
        "no Pulumi CLI on PATH",
        why="`up` would install the SDK's own version below ~/.pulumi, which needs a network",
        fix="https://www.pulumi.com/docs/install/, or --engine embedded",
    )


def _embedded(stack: Stack) -> Iterator[Finding]:
    if sys.platform != "linux":
        yield failure(
            f"the embedded cluster runs on Linux, not on {sys.platform}",
            why="etcd, kube-apiserver and kwok are built and supervised for Linux only",
            fix="use a Linux machine, or --kubeconfig and --context with a cluster of yours",
        )
    for name, source in Binaries(default_cache()).sources(PROGRAMS).items():
        if source:
            yield ok(f"{name}: {source}")
        else:
            yield failure(
                f"{name}: nowhere to be had",
                why="not on PATH, not in the cache, and neither a download nor a Go build works",
                fix="connect this machine, or install Go 1.26 or newer",
            )
    yield from _room()
    running = embedded_cluster(stack.project.state).status()
    if running.running:
        yield from _cluster(stack)
    else:
        yield ok("embedded cluster is not running; `up` starts it")


def _room() -> Iterator[Finding]:
    cache = default_cache()
    standing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(standing).free
    if free < DISK_NEEDED:
        yield failure(
            f"{free / GIB:.1f} GiB free at {standing}",
            why=f"binaries and their build need up to {DISK_NEEDED // GIB} GiB",
            fix="free some room, or point CORRAL_CACHE to a larger disk",
        )
    else:
        yield ok(f"{free / GIB:.0f} GiB free at {standing}")
    memory = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if memory < MEMORY_NEEDED:
        yield warning(
            f"{memory / GIB:.1f} GiB of memory free",
            why=f"a control plane with the platform on it takes about {MEMORY_NEEDED // GIB} GiB",
            fix="close something, or use a larger machine",
        )
    else:
        yield ok(f"{memory / GIB:.0f} GiB of memory free")


def _cluster(stack: Stack) -> Iterator[Finding]:
    try:
        api = Api.connect(stack.access, retries=Retries(bound=PATIENCE))
        version = api.get("/version")
    except UserError as error:
        yield failure(
            f"cluster of {stack.name} does not answer: {error}",
            why="`up` talks to its API server",
            fix="check the kubeconfig, the context and your way to the cluster",
        )
        return
    found = (int(version["major"]), int(str(version["minor"]).rstrip("+")))
    if found < OLDEST_KUBERNETES:
        yield failure(
            f"Kubernetes {version['gitVersion']}",
            why="older than 1.33: `hostUsers: false` may be dropped silently there",
            fix="upgrade the cluster",
        )
    else:
        yield ok(f"Kubernetes {version['gitVersion']}")
    yield from _rights(api)
    yield from _nodes(api, stack)


def _rights(api: Api) -> Iterator[Finding]:
    missing = [
        f"{verb} {resource}.{group}".rstrip(".")
        for group, resource in WRITES
        for verb in ("create", "patch", "delete")
        if not _allowed(api, group=group, resource=resource, verb=verb)
    ]
    if missing:
        yield failure(
            f"not allowed: {', '.join(missing)}",
            why="`up` creates and changes these",
            fix="use a context with cluster-admin rights for this cluster",
        )
    else:
        yield ok(f"may create, change and delete all {len(WRITES)} kinds that `up` needs")


def _allowed(api: Api, *, group: str, resource: str, verb: str) -> bool:
    review = api.create(
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "metadata": {},
            "spec": {"resourceAttributes": {"group": group, "resource": resource, "verb": verb}},
        },
    )
    return bool(review["status"]["allowed"])


def _nodes(api: Api, stack: Stack) -> Iterator[Finding]:
    nodes = list(api.list("/api/v1/nodes"))
    for name, pool in stack.settings.pools.items():
        if pool.tier is None:
            continue
        serving = [n for n in nodes if n["metadata"].get("labels", {}).get(TIER_LABEL) == pool.tier]
        if len(serving) >= pool.nodes_at_first:
            yield ok(f"pool {name}: {len(serving)} nodes of tier {pool.tier}")
        else:
            yield warning(
                f"pool {name}: {len(serving)} of {pool.nodes_at_first} nodes carry "
                f"{TIER_LABEL}={pool.tier}",
                why="sandboxes of that tier wait until there is a node for them",
                fix=f"label and taint the nodes that serve {pool.tier} (docs/tiers.md)",
            )


def _show(findings: list[Finding]) -> None:
    screen = Screen()
    signs = {Grade.OK: "ok      ", Grade.WARNING: "warning ", Grade.FAILURE: "FAILURE "}
    styles = {Grade.OK: "", Grade.WARNING: "yellow", Grade.FAILURE: "bold red"}
    for finding in findings:
        screen.result(signs[finding.grade] + finding.what, style=styles[finding.grade])
        if finding.why:
            screen.result(f"         why: {finding.why}\n         fix: {finding.fix}")
