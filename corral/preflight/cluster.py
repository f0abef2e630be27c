"""A cluster that answers: its version, what `up` may do there, and its nodes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.compatibility import NEWEST_KUBERNETES, OLDEST_KUBERNETES
from corral.embedded.engine.offline import PlannedResource
from corral.errors import UserError
from corral.kubernetes import Access, Api, Discovery, Retries
from corral.preflight.finding import Finding, failure, ok, warning
from corral.preflight.nodes import look_at_nodes, major_minor
from corral.preflight.parts import look_at_parts
from corral.preflight.prometheus_operators import look_at_prometheus_operators
from corral.settings.stack import Settings

PATIENCE = 5.0  # seconds for a cluster that doesn't answer: a doctor doesn't wait for it to heal

VERBS = ("create", "patch", "delete")

Kind = tuple[str, str]
"""apiVersion and kind."""


def look_at_cluster(
    access: Access, *, name: str, settings: Settings, plan: Collection[PlannedResource]
) -> Iterator[Finding]:
    """Every finding about a cluster that should be there; `name` is the stack's."""
    try:
        api = Api.connect(access, retries=Retries(bound=PATIENCE))
        version = api.get("/version")
    except UserError as error:
        yield failure(
            f"cluster of {name} does not answer: {error}",
            why="`up` talks to its API server",
            fix="check the kubeconfig, the context and your way to the cluster",
        )
        return
    try:
        yield from look_at_version(version["gitVersion"])
        yield from look_at_parts(plan, major_minor(version["gitVersion"]) or NEWEST_KUBERNETES)
        yield from _rights(api, planned_kinds(plan))
        yield from look_at_nodes(list(api.list("/api/v1/nodes")), version["gitVersion"], settings)
        yield from look_at_prometheus_operators(api, settings)
    except UserError as error:
        yield warning(
            f"cluster of {name}: not looked at to the end: {error}",
            why="what couldn't be looked at may keep `up` from its end",
            fix="use a context with cluster-admin rights for this cluster",
        )
    finally:
        api.close()


def look_at_version(version: str) -> Iterator[Finding]:
    """The API server's version against the window that the platform's parts have in common."""
    found = major_minor(version) or (0, 0)
    newest = ".".join(map(str, NEWEST_KUBERNETES))
    if found < OLDEST_KUBERNETES:
        oldest = ".".join(map(str, OLDEST_KUBERNETES))
        yield failure(
            f"Kubernetes {version}",
            why=f"older than {oldest}: `hostUsers: false` may be dropped silently there",
            fix=f"upgrade the cluster to {oldest} or newer (docs/versions.md)",
        )
    elif found > NEWEST_KUBERNETES:
        yield warning(
            f"Kubernetes {version}",
            why=f"newer than {newest}, the newest that corral's parts are known to work with",
            fix="use a newer corral (docs/versions.md)",
        )
    else:
        yield ok(f"Kubernetes {version}")


def planned_kinds(plan: Collection[PlannedResource]) -> list[Kind]:
    """Kinds of objects that the program registers, each once."""
    kinds = {
        (str(resource.inputs["apiVersion"]), str(resource.inputs["kind"]))
        for resource in plan
        if resource.type.startswith("kubernetes:")
        and {"apiVersion", "kind"} <= resource.inputs.keys()
    }
    return sorted(kinds)


def _rights(api: Api, kinds: Collection[Kind]) -> Iterator[Finding]:
    discovery = Discovery(api)
    missing, unknown, asked = [], [], 0
    for api_version, kind in kinds:
        resource = discovery.find(api_version, kind)
        if resource is None:
            if _of_the_cluster(api_version):
                unknown.append(f"{kind} ({api_version})")
            continue
        asked += 1
        missing += [
            f"{verb} {resource.plural}.{resource.group}".rstrip(".")
            for verb in VERBS
            if not _allowed(api, group=resource.group, resource=resource.plural, verb=verb)
        ]
    if unknown:
        yield failure(
            f"the cluster doesn't know {', '.join(unknown)}",
            why="the platform consists of these",
            fix="upgrade the cluster, turn that API on, or install what brings it (for "
            "snapshot.storage.k8s.io: github.com/kubernetes-csi/external-snapshotter)",
        )
    if missing:
        yield failure(
            f"not allowed: {', '.join(missing)}",
            why="`up` creates and changes these",
            fix="use a context with cluster-admin rights for this cluster",
        )
    else:
        yield ok(f"may create, change and delete all {asked} kinds that `up` needs")


def _of_the_cluster(api_version: str) -> bool:
    """Whether the cluster must bring it: no chart of the program's does. Of k8s.io's groups some
    are Kubernetes' own, and some belong to parts that a cluster has once for all."""
    group, slash, _ = api_version.rpartition("/")
    return not slash or "." not in group or group.endswith(".k8s.io")


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
