"""`corral status`: for each part, whether it runs, is an object only, or is absent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

from components.network.policies.places import CONTROL, EGRESS_NAMESPACE, GATEWAY, RESOLVER
from corral.commands import options
from corral.commands.embedded_engine import EventLines
from corral.commands.options import EngineChoice
from corral.commands.readiness import MANAGED, assure
from corral.commands.screen import Screen, write_json
from corral.commands.stacks import Stack, open_stack
from corral.commands.ways_out import closed_tenants
from corral.embedded.engine.engine import Engine
from corral.errors import UserError
from corral.kubernetes import Api, Discovery, Retries
from corral.local_cluster import embedded_cluster
from corral.settings.tiers import TIER_LABEL

PATIENCE = 5.0
"""Seconds for a cluster that doesn't answer."""

LATER = ("monitoring", "warden")
"""Parts of the platform that this version doesn't bring: shown, so that nobody counts on them."""


class State(StrEnum):
    """How real a part is."""

    RUNS = "runs"
    SIMULATED = "object only (simulated)"
    UNVERIFIED = "object only (not verified)"
    ABSENT = "absent"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One line of the status."""

    name: str
    state: State
    detail: str


def status(
    stack: options.Stack,
    *,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    json: options.Json = False,
) -> None:
    """Say for each part whether it runs, is an object only, or is absent.

    Example: corral status local --json
    """
    opened = open_stack(stack, kubeconfig=kubeconfig, context=context)
    parts = list(examine(opened))
    if json:
        write_json({"stack": stack, "parts": [asdict(part) for part in parts]}, "-")
        return
    Screen().table(
        f"stack {stack}",
        ("part", "state", "detail"),
        [(part.name, part.state.value, part.detail) for part in parts],
    )


def examine(stack: Stack) -> Iterator[Part]:
    """Every part, from the control plane up. A cluster that doesn't answer ends the list."""
    if stack.simulated:
        cluster = embedded_cluster(stack.project.state).status()
        for process in cluster.parts:
            state = State.RUNS if process.running else State.ABSENT
            yield Part(name=process.name, state=state, detail=process.version)
        if not cluster.running:
            return
    api = Api.connect(stack.access, retries=Retries(bound=PATIENCE))
    version = api.get("/version")["gitVersion"]
    if not stack.simulated:
        yield Part(name="control plane", state=State.RUNS, detail=f"{version}, not of our making")
    made = _made(stack, api)
    yield from _nodes(stack, api)
    yield _admission(stack, api, made)
    yield from _objects(stack, made)
    yield from _egress(stack, api)
    for name in LATER:
        yield Part(name=name, state=State.ABSENT, detail="not part of this version")


_EGRESS = {
    "egress gateway": GATEWAY,
    "resolver": RESOLVER,
    "egress control plane": CONTROL,
}
"""Parts of the way out, and their Deployments."""


def _egress(stack: Stack, api: Api) -> Iterator[Part]:
    where = f"/apis/apps/v1/namespaces/{EGRESS_NAMESPACE}/deployments"
    for name, deployment in _EGRESS.items():
        found = api.find(f"{where}/{deployment}")
        if found is None:
            yield Part(name=name, state=State.ABSENT, detail="no tenant has a way out")
            continue
        ready, wanted = found.get("status", {}).get("readyReplicas", 0), found["spec"]["replicas"]
        state = State.RUNS if ready else State.ABSENT
        yield Part(
            name=name,
            state=State.SIMULATED if stack.simulated else state,
            detail=f"{ready} of {wanted} pods ready",
        )
    lists = sum(tenant.egress is not None for tenant in stack.settings.tenants.values())
    closed = closed_tenants(stack.settings)
    if stack.settings.tenants:
        yield Part(
            name="ways out",
            state=(State.SIMULATED if stack.simulated else State.UNVERIFIED)
            if lists
            else State.ABSENT,
            detail=f"of {lists} tenants" + (f"; {closed}" if closed else ""),
        )


def _engine(stack: Stack, api: Api) -> Engine:
    return Engine(
        project=stack.project.root,
        stack=stack.name,
        config=stack.config,
        api=api,
        withhold=stack.simulated,
        workers=1,
        on_event=EventLines(Screen(quiet=True)),
    )


def _nodes(stack: Stack, api: Api) -> Iterator[Part]:
    state = State.SIMULATED if stack.simulated else State.UNVERIFIED
    nodes = list(api.list("/api/v1/nodes"))
    for name, pool in stack.settings.pools.items():
        if pool.tier is None:
            continue
        serving = sum(
            node["metadata"].get("labels", {}).get(TIER_LABEL) == pool.tier for node in nodes
        )
        yield Part(
            name=f"pool {name}",
            state=state if serving else State.ABSENT,
            detail=f"{serving} nodes for {', '.join(pool.served_runtimes)}",
        )


def _made(stack: Stack, api: Api) -> Counter[str]:
    """How many objects of each kind the stack has: by the embedded engine's inventories, or, since
    Pulumi's are in its state, by the label that every object of ours carries."""
    if stack.engine is not EngineChoice.PULUMI:
        members = [member for part in stack.parts for member in _engine(part, api).members()]
        return Counter(member.kind for member in members)
    discovery = Discovery(api)
    found: Counter[str] = Counter()
    for kind, api_version in _SHOWN.items():
        resource = discovery.find(api_version, kind)
        if resource is not None:
            found[kind] = sum(1 for _ in api.list(resource.collection(), labels=MANAGED))
    return found


def _admission(stack: Stack, api: Api, made: Counter[str]) -> Part:
    policies = made[_POLICY]
    if not policies:
        return Part(name="admission", state=State.ABSENT, detail="no policies of this stack")
    if not stack.settings.tenants:
        return Part(
            name="admission", state=State.UNVERIFIED, detail=f"{policies} policies, no tenants"
        )
    try:
        assured = assure(api, stack.settings)
    except UserError as error:
        return Part(name="admission", state=State.ABSENT, detail=str(error))
    return Part(
        name="admission",
        state=State.RUNS,
        detail=f"{policies} policies; bad pods were just refused in {len(assured)} namespaces",
    )


# Objects that the API server itself acts on; everything else is an object until something on a
# node or a controller of ours acts on it.
_ENFORCED_BY_API_SERVER = {
    "ResourceQuota",
    "LimitRange",
    "ClusterRole",
    "RoleBinding",
    "PriorityClass",
}
_ENFORCED_ON_NODES = {"RuntimeClass", "NetworkPolicy"}

_POLICY = "ValidatingAdmissionPolicy"
_SHOWN = {
    "ResourceQuota": "v1",
    "LimitRange": "v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "PriorityClass": "scheduling.k8s.io/v1",
    "RuntimeClass": "node.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    _POLICY: "admissionregistration.k8s.io/v1",
}
"""The kinds above and where they are served."""


def _objects(stack: Stack, counts: Counter[str]) -> Iterator[Part]:
    for kind in sorted(_ENFORCED_BY_API_SERVER):
        state = State.RUNS if counts[kind] else State.ABSENT
        yield Part(name=kind, state=state, detail=f"{counts[kind]} objects")
    on_nodes = State.SIMULATED if stack.simulated else State.UNVERIFIED
    for kind in sorted(_ENFORCED_ON_NODES):
        state = on_nodes if counts[kind] else State.ABSENT
        yield Part(name=kind, state=state, detail=f"{counts[kind]} objects")
