"""The stack that benchmarks carry out: the shipped local one with many small tenants."""

from __future__ import annotations

from pathlib import Path

import orjson

from corral.settings.cluster import Cluster, ExistingCluster
from corral.settings.loading import load_stack_file, stack_file
from corral.settings.network import ClusterNetwork
from corral.settings.stack import Settings
from corral.settings.tenants import Tenant
from corral.settings.tiers import Tier


def settings(root: Path, *, tenants: int, kubeconfig: Path | None = None) -> Settings:
    """The local stack's pools and classes, with `tenants` tenants of two classes each.

    `kubeconfig`: the cluster to use (context `corral`); the project's embedded one without it.
    """
    local = load_stack_file(stack_file("local", root))
    cluster: Cluster = local.cluster
    if kubeconfig is not None:
        cluster = ExistingCluster(kind="existing", kubeconfig=str(kubeconfig), context="corral")
    return local.model_copy(
        update={
            "cluster": cluster,
            # None of these tenants has a way out: objects are what is counted here.
            "network": ClusterNetwork(),
            "tenants": {
                f"team-{number:04}": Tenant(tier=Tier.GVISOR, agents={"planner": 1, "worker": 4})
                for number in range(tenants)
            },
        }
    )


def config(chosen: Settings) -> dict[str, str]:
    """What the program reads as its Pulumi configuration."""
    return {"corral:settings": document(chosen).decode()}


def document(chosen: Settings) -> bytes:
    """The settings as JSON: the value of `corral:settings` in a stack file."""
    return orjson.dumps(chosen.model_dump(mode="json", by_alias=True, exclude_unset=True))
