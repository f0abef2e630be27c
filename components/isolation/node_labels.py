"""What the nodes of a pool carry, so that pods find them and nothing else gets onto them."""

from __future__ import annotations

from corral.settings.aws.pools import EksPool
from corral.settings.confidential import form_of
from corral.settings.pools import AnyPool
from corral.settings.quantities import bytes_text, cpu_text
from corral.settings.tiers import RUNTIMES, SYSTEM_LABEL, TIER_LABEL, Runtime, Tier
from corral.settings.workspaces import WORKSPACES_LABEL

POOL_LABEL = "corral.dev/pool"
"""Node label: the pool's name in the stack file."""

PURPOSE_LABEL = "corral.dev/purpose"
"""Node label and taint key of nodes that are there for one thing alone."""

ARCHITECTURE_LABEL = "kubernetes.io/arch"


def node_labels(name: str, pool: AnyPool) -> dict[str, str]:
    """Labels of every node of the pool called `name`."""
    labels = {POOL_LABEL: name, ARCHITECTURE_LABEL: pool.architecture}
    for runtime in served(pool):
        labels.update(runtime_node_labels(runtime))
    if purpose := pool_purpose(pool):
        labels[PURPOSE_LABEL] = purpose
    form = form_of(pool.machines, None) if isinstance(pool, EksPool) else None
    if form is not None and form.node_label is not None:
        labels.update([form.node_label])
    if is_system(pool):
        labels[SYSTEM_LABEL] = "true"
    if pool.workspaces:
        labels[WORKSPACES_LABEL] = "local"
    return labels


def is_system(pool: AnyPool) -> bool:
    """Whether its nodes run the platform itself."""
    gateway = isinstance(pool, EksPool) and pool.purpose is not None
    return pool.tier is None and not gateway


def runtime_node_labels(runtime: Runtime) -> dict[str, str]:
    """Labels of a node that serves the runtime; its RuntimeClass selects all of them.

    A tier may have pools of both architectures: a runtime for one of them says which.
    """
    labels = {TIER_LABEL: str(runtime.tier), **runtime.node_labels}
    if len(runtime.architectures) == 1:
        labels[ARCHITECTURE_LABEL] = runtime.architectures[0]
    return labels


def node_taints(pool: AnyPool) -> list[dict[str, str]]:
    """Taints of every node of the pool: none for pools that run the platform itself."""
    if purpose := pool_purpose(pool):
        return [{"key": PURPOSE_LABEL, "value": purpose, "effect": "NoSchedule"}]
    return [] if pool.tier is None else [tier_taint(pool.tier)]


def pool_purpose(pool: AnyPool) -> str | None:
    """What its nodes are there for, where that is one thing alone."""
    return pool.purpose if isinstance(pool, EksPool) else None


def tier_taint(tier: Tier) -> dict[str, str]:
    """Keeps pods off the tier's nodes unless their RuntimeClass lets them on."""
    return {"key": TIER_LABEL, "value": str(tier), "effect": "NoSchedule"}


def node_capacity(pool: AnyPool) -> dict[str, str]:
    """What one node of the pool offers to pods, as quantities by resource name.

    A confidential node offers a slot for each pod that it may run.
    """
    capacity = {
        "cpu": cpu_text(pool.cpu),
        "memory": bytes_text(pool.memory),
        "ephemeral-storage": bytes_text(pool.disk),
        "pods": str(pool.pods),
    }
    for runtime in served(pool):
        capacity.update(dict.fromkeys(runtime.extended_resources, str(pool.pods)))
    return capacity


def served(pool: AnyPool) -> list[Runtime]:
    """The runtimes that the pool serves, in the table's order."""
    return [runtime for name, runtime in RUNTIMES.items() if name in pool.served_runtimes]
