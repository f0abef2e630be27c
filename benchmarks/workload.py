"""The stack that benchmarks carry out: the shipped local one with many small tenants."""

from __future__ import annotations

from pathlib import Path

import orjson

from corral.settings.cluster import Cluster, ExistingCluster
from corral.settings.egress import Destination, Egress
from corral.settings.loading import load_stack_file, stack_file
from corral.settings.network import ClusterNetwork
from corral.settings.stack import Settings
from corral.settings.tenants import Tenant
from corral.settings.tiers import Tier

NAMES = 20
"""On the list of each tenant that has a way out."""

WAYS_OUT = ClusterNetwork.model_validate(
    {
        "egress": {
            "dns": ["9.9.9.9"],
            "api-servers": ["10.9.0.0/28"],
            "images": {"control": "example.org/control:1", "resolver": "example.org/resolver:1"},
        }
    }
)
"""Nobody is asked, and nothing is pulled: no node is there."""


def settings(
    root: Path, *, tenants: int, kubeconfig: Path | None = None, ways_out: bool = False
) -> Settings:
    """The local stack's pools and classes, with `tenants` tenants of two classes each.

    `kubeconfig`: the cluster to use (context `corral`); the project's embedded one without it.
    With `ways_out` each tenant has one, of `NAMES` names.
    """
    local = load_stack_file(stack_file("local", root))
    cluster: Cluster = local.cluster
    if kubeconfig is not None:
        cluster = ExistingCluster(kind="existing", kubeconfig=str(kubeconfig), context="corral")
    return local.model_copy(
        update={
            "cluster": cluster,
            "network": WAYS_OUT if ways_out else ClusterNetwork(),
            "tenants": {
                f"team-{number:04}": Tenant(
                    tier=Tier.GVISOR,
                    agents={"planner": 1, "worker": 4},
                    egress=_way_out(number + 1) if ways_out else None,
                )
                for number in range(tenants)
            },
        }
    )


def _way_out(number: int) -> Egress:
    hosts = tuple(Destination(host=f"h{name}.team-{number}.example.org") for name in range(NAMES))
    return Egress(number=number, allow=hosts)


def config(chosen: Settings) -> dict[str, str]:
    """What the program reads as its Pulumi configuration."""
    return {"corral:settings": document(chosen).decode()}


def document(chosen: Settings) -> bytes:
    """The settings as JSON: the value of `corral:settings` in a stack file."""
    return orjson.dumps(chosen.model_dump(mode="json", by_alias=True, exclude_unset=True))
