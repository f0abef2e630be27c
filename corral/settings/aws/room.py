"""Whether the nodes of a stack on EKS hold what its tenants may ask for, by all limits of EC2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from corral.settings.aws.cidrs import PodNetwork
from corral.settings.aws.density import Density, pool_densities, pool_node
from corral.settings.aws.pools import EksPool
from corral.settings.classes import AgentClass, kept_on
from corral.settings.problems import Problem, Said
from corral.settings.quantities import bytes_text
from corral.settings.tenants import Tenant


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What one pool holds of one class."""

    pool: str
    agent: str
    instance: str
    """The instance type that holds least."""
    base: int
    """Nodes that the pool always has."""
    nodes: int
    """Most nodes of the pool."""
    derived: bool
    """Whether that number follows from what tenants may ask for."""
    density: Density

    @property
    def most(self) -> int:
        """Most sandboxes on the whole pool, if nothing else is on it."""
        return self.nodes * self.density.sandboxes

    def cells(self) -> tuple[str, ...]:
        """Pool, class, instance type, density, nodes and sandboxes, for a table."""
        counts = (self.density.text(), self._nodes(), str(self.most))
        return (self.pool, self.agent, self.instance, *counts)

    def _nodes(self) -> str:
        """`3`; `1 to 6`; `0 to 20, for its tenants`."""
        if self.base == self.nodes:
            return str(self.nodes)
        return f"{self.base} to {self.nodes}" + (", for its tenants" if self.derived else "")

    def as_document(self) -> dict[str, object]:
        """As JSON, with what each limit alone would allow on one node."""
        return {
            "pool": self.pool,
            "class": self.agent,
            "instance": self.instance,
            "baseNodes": self.base,
            "nodes": self.nodes,
            "fromTenants": self.derived,
            "perNode": self.density.sandboxes,
            "binding": self.density.binding,
            "byLimit": dict(self.density.by_limit),
            "most": self.most,
        }


def eks_pools(pools: Mapping[str, object]) -> dict[str, EksPool]:
    """Those of them that are on EKS."""
    return {name: pool for name, pool in pools.items() if isinstance(pool, EksPool)}


def held(
    pools: Mapping[str, EksPool],
    classes: Mapping[str, AgentClass],
    network: PodNetwork = "overlay",
) -> Iterator[Held]:
    """For each class, each pool that serves its runtime."""
    for agent_name, agent in classes.items():
        for name, pool in pools.items():
            if agent.runtime_name in pool.served_runtimes and pool.instance_types:
                by_type = pool_densities(pool, agent, network=network)
                least, found = min(by_type.items(), key=lambda item: item[1].sandboxes)
                yield Held(
                    pool=name,
                    agent=agent_name,
                    instance=least,
                    base=pool.base_nodes,
                    nodes=pool.nodes,
                    derived=pool.max_nodes is None,
                    density=found,
                )


def room_contradictions(
    pools: Mapping[str, EksPool],
    classes: Mapping[str, AgentClass],
    tenants: Mapping[str, Tenant],
    network: PodNetwork = "overlay",
) -> Iterator[Problem]:
    """Maxima that no number of the pools' nodes reaches. Each is judged as if it were alone there,
    so that only what is certain is refused."""
    rows = [*held(pools, classes, network)]
    yield from _unseen(rows, pools, classes)
    for name, tenant in tenants.items():
        for agent, count in tenant.agents.items():
            on = [row for row in rows if row.agent == agent]
            if on and count > (most := sum(row.most for row in on)):
                yield Problem(
                    path=("tenants", name, "agents", agent),
                    value=count,
                    rule=f"at most the {most} that its pools can hold ("
                    + "; ".join(
                        f"{row.pool}: on each of {row.nodes} nodes {row.density.text()}"
                        for row in on
                    )
                    + ")",
                    fix=f"lower it to {most}, or give {_or(row.pool for row in on)} more or "
                    "larger nodes",
                )
        yield from _volumes(name, tenant, pools, classes, network)


def _unseen(
    rows: Iterable[Held], pools: Mapping[str, EksPool], classes: Mapping[str, AgentClass]
) -> Iterator[Problem]:
    """Karpenter knows nothing of what is left for local workspaces on a node: where that is what
    binds, it takes a full node for one with room, and starts none while sandboxes wait for it."""
    for row in rows:
        own = classes[row.agent].workspace
        if own is None or row.density.binding != "local-disk" or not pools[row.pool].burst_nodes:
            continue
        yield Problem(
            path=("classes", row.agent, "workspace", "size"),
            value=Said(bytes_text(own.size)),
            rule="a size by which local disk isn't what binds on a pool that grows: "
            f"{row.pool} holds {row.density.text()}, and Karpenter, which doesn't see local disk, "
            "would never start the next node",
            fix=f"lower it, give {row.pool} more room for workspaces, or set its max-nodes to its "
            "min-nodes",
        )


def _volumes(
    name: str,
    tenant: Tenant,
    pools: Mapping[str, EksPool],
    classes: Mapping[str, AgentClass],
    network: PodNetwork,
) -> Iterator[Problem]:
    runtimes = {classes[agent].runtime_name for agent in tenant.agents if agent in classes}
    able = {
        pool_name: volumes_of(pool, network)
        for pool_name, pool in pools.items()
        if runtimes.intersection(pool.served_runtimes) and pool.instance_types
    }
    most = sum(each * pools[pool_name].nodes for pool_name, each in able.items())
    workspaces = sum(
        count
        for agent, count in tenant.agents.items()
        if agent in classes and kept_on(classes[agent]) == "ebs"
    )
    # With workspaces alone, the tenant's number of agents was judged already.
    if able and tenant.volumes.count and tenant.volumes.count + workspaces > most:
        beside = f", beside {workspaces} workspaces" if workspaces else ""
        yield Problem(
            path=("tenants", name, "volumes", "count"),
            value=tenant.volumes.count,
            rule=f"at most the {most} volumes that its nodes attach at once ("
            + ", ".join(f"{pool_name} {each} on each" for pool_name, each in able.items())
            + f"){beside}",
            fix=f"lower it to {max(0, most - workspaces)}, or give {_or(able)} more nodes or types "
            "that attach more",
        )


def volumes_of(pool: EksPool, network: PodNetwork = "overlay") -> int:
    """EBS volumes that any node of the pool attaches beside its own. ValueError where it has no
    instance types."""
    return min(pool_node(pool, kind, network=network).volumes for kind in pool.instance_types)


def _or(names: Iterable[str]) -> str:
    return " or ".join(names)
