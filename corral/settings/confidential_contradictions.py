"""What can't be confidential in the way that a stack file asks for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from corral.settings.aws.pools import EksPool
from corral.settings.classes import AgentClass
from corral.settings.pools import AnyPool
from corral.settings.problems import Problem, Said
from corral.settings.tenants import Tenant
from corral.settings.tiers import RUNTIMES, Tier

NO_EXEC = ("confidential-sandbox",)
"""Runtimes whose guests refuse every exec."""

WITHOUT_KVM = tuple(
    name for name, runtime in RUNTIMES.items() if runtime.tier in (Tier.CONTAINER, Tier.GVISOR)
)
"""What an SEV-SNP machine can run; anything else is refused for want of /dev/kvm."""


def confidential_contradictions(
    *,
    pools: Mapping[str, AnyPool],
    classes: Mapping[str, AgentClass],
    tenants: Mapping[str, Tenant],
) -> list[Problem]:
    """Every contradiction between them; empty when they agree."""
    return [
        *(problem for name, pool in pools.items() for problem in _kinds(name, pool)),
        *_encrypted_or_not(pools),
        *(problem for name, tenant in tenants.items() for problem in _exec(name, tenant, classes)),
    ]


def _kinds(name: str, pool: AnyPool) -> Iterator[Problem]:
    """Each confidential runtime wants nodes of its own kind: another processor, or other software
    in the place of containerd's."""
    own = [runtime for runtime in pool.served_runtimes if runtime in RUNTIMES]
    if pool.tier == Tier.CONFIDENTIAL and len(own) > 1:
        yield Problem(
            path=("pools", name, "runtimes"),
            value=Said(", ".join(own)),
            rule="one runtime in a pool of tier confidential: each wants nodes of its own kind "
            "(AMD with SEV-SNP, Intel with TDX, Nitro Sandboxes, peer pods)",
            fix="make a pool for each",
        )


def _encrypted_or_not(pools: Mapping[str, AnyPool]) -> Iterator[Problem]:
    """A RuntimeClass can't tell an SEV-SNP node from another of the same tier: a sandbox whose
    memory should be encrypted would land on either."""
    on_eks = {name: pool for name, pool in pools.items() if isinstance(pool, EksPool)}
    for runtime in WITHOUT_KVM:
        serving = {n: pool for n, pool in on_eks.items() if runtime in pool.served_runtimes}
        plain = [name for name, pool in serving.items() if pool.machines != "snp"]
        for name, pool in serving.items():
            if plain and pool.machines == "snp":
                yield Problem(
                    path=("pools", name, "machines"),
                    value=pool.machines,
                    rule=f"snp for every pool that serves {runtime}, or for none: {_and(plain)} "
                    "serves it too, and a sandbox may land on either",
                    fix=f"set machines: snp in {_and(plain)}, or choose another tier for one of "
                    "them",
                )


def _exec(name: str, tenant: Tenant, classes: Mapping[str, AgentClass]) -> Iterator[Problem]:
    known = [classes[agent] for agent in tenant.agents if agent in classes]
    if (
        tenant.orchestrator.exec
        and len(known) == len(tenant.agents)
        and all(agent.runtime_name in NO_EXEC for agent in known)
    ):
        yield Problem(
            path=("tenants", name, "orchestrator", "exec"),
            value=True,
            rule=f"false where every agent runs on {_and(NO_EXEC)}: its guest refuses every exec",
            fix="remove it, or give the tenant a class of another runtime",
        )


def _and(names: Collection[str]) -> str:
    return " and ".join(names)
