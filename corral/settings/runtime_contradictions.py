"""What must hold between the runtimes' sources, the cluster and its pools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from corral.settings.cluster import Cluster, EksCluster, EmbeddedCluster
from corral.settings.pools import AnyPool
from corral.settings.problems import Problem
from corral.settings.runtimes import Runtimes
from corral.settings.tiers import RUNTIMES, ProcessLimit, Runtime

LEAST_GUEST_PROCESSES = 512
"""A guest's kernel counts its own threads among its processes (some 15 for each CPU, and 60), and
Linux takes no pid_max below 301."""


def runtime_contradictions(
    *, cluster: Cluster, runtimes: Runtimes, pools: Mapping[str, AnyPool]
) -> list[Problem]:
    """Every contradiction between them; empty when they agree."""
    return [*_unread(cluster, runtimes, pools), *_guests(pools)]


def _unread(
    cluster: Cluster, runtimes: Runtimes, pools: Mapping[str, AnyPool]
) -> Iterator[Problem]:
    """A mirror that nothing would fetch from: whoever wrote it believes that something does."""
    served = _served(pools)
    eks = isinstance(cluster, EksCluster)
    fetched = {
        "gvisor_source": (eks and _any(served, "runsc"), "cluster kind eks and a pool of gVisor"),
        "kata_image": (eks and _any(served, "kata-"), "cluster kind eks and a pool of microVMs"),
        "verifier_image": (
            not isinstance(cluster, EmbeddedCluster) and any(r.proves_itself for r in served),
            "nodes that are real, and a runtime with a kernel of its own (gVisor, Kata)",
        ),
    }
    for name, (used, needed) in fetched.items():
        if name in runtimes.model_fields_set and not used:
            yield Problem(
                path=("runtimes", name.replace("_", "-")),
                value=getattr(runtimes, name),
                rule=f"only with {needed}: nothing here fetches it",
                fix="remove it, or add such a pool",
            )


def _guests(pools: Mapping[str, AnyPool]) -> Iterator[Problem]:
    for name, pool in pools.items():
        guests = [r for r in _served({name: pool}) if r.process_limit is ProcessLimit.GUEST]
        if guests and pool.processes < LEAST_GUEST_PROCESSES:
            yield Problem(
                path=("pools", name, "processes"),
                value=pool.processes,
                rule=f"at least {LEAST_GUEST_PROCESSES} where a guest's kernel limits them "
                f"({guests[0].name}): it counts its own threads too",
                fix=f"write {LEAST_GUEST_PROCESSES} or more",
            )


def _served(pools: Mapping[str, AnyPool]) -> list[Runtime]:
    names = {name for pool in pools.values() for name in pool.served_runtimes}
    return [runtime for name, runtime in RUNTIMES.items() if name in names]


def _any(served: list[Runtime], handler: str) -> bool:
    return any(runtime.handler.startswith(handler) for runtime in served)
