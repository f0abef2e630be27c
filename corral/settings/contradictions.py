"""What must hold between settings that are each valid alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from corral.settings.classes import AgentClass
from corral.settings.pools import NodePool
from corral.settings.quantities import bytes_text, cpu_text, parse_bytes
from corral.settings.tenants import Tenant
from corral.settings.tiers import RUNTIMES, Tier

CPU_BOUNDS = (1000, 4000)
MEMORY_BOUNDS = (parse_bytes("1Gi"), parse_bytes("8Gi"))
DISK_BOUNDS = (parse_bytes("5Gi"), parse_bytes("20Gi"))


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong: where, what stands there, the rule, and the way out."""

    path: tuple[str, ...]
    value: object
    rule: str
    fix: str


class Contradictions(ValueError):
    """All the contradictions found in one stack file."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.rule for problem in problems))
        self.problems = problems


def contradictions(
    *,
    pools: Mapping[str, NodePool],
    classes: Mapping[str, AgentClass],
    tenants: Mapping[str, Tenant],
) -> list[Problem]:
    """Every contradiction between the three; empty when they agree."""
    found: list[Problem] = []
    for name, pool in pools.items():
        found.extend(_pool(name, pool))
    usable = {}
    for name, agent in classes.items():
        problems = [*_bounds(name, agent), *_runtime(name, agent)]
        if not problems:
            problems = list(_placement(name, agent, pools))
            usable[name] = agent
        found.extend(problems)
    for name, tenant in tenants.items():
        found.extend(_tenant(name, tenant, classes))
    return found


def _pool(name: str, pool: NodePool) -> Iterator[Problem]:
    for runtime in pool.runtimes:
        known = [r.name for r in RUNTIMES.values() if r.tier == pool.tier]
        if runtime not in known:
            yield Problem(
                path=("pools", name, "runtimes"),
                value=runtime,
                rule=f"a pool serves runtimes of its tier ({pool.tier or 'none'})",
                fix=f"use one of {', '.join(known)}" if known else "give the pool a tier",
            )
    for runtime in pool.served_runtimes:
        if runtime in RUNTIMES and pool.architecture not in RUNTIMES[runtime].architectures:
            yield Problem(
                path=("pools", name, "architecture"),
                value=pool.architecture,
                rule=f"runtime {runtime} runs on {', '.join(RUNTIMES[runtime].architectures)} only",
                fix="change the architecture, or serve another runtime of the tier",
            )


def _bounds(name: str, agent: AgentClass) -> Iterator[Problem]:
    for key, value, (low, high), text in (
        (("limits", "cpu"), agent.limits.cpu, CPU_BOUNDS, cpu_text),
        (("limits", "memory"), agent.limits.memory, MEMORY_BOUNDS, bytes_text),
        (("disk",), agent.disk, DISK_BOUNDS, bytes_text),
    ):
        if not low <= value <= high:
            yield Problem(
                path=("classes", name, *key),
                value=text(value),
                rule=f"one sandbox gets {text(low)} to {text(high)}",
                fix=f"choose a value from {text(low)} to {text(high)}",
            )
    for unit, text in (("cpu", cpu_text), ("memory", bytes_text)):
        request, limit = getattr(agent.requests, unit), getattr(agent.limits, unit)
        if request > limit:
            yield Problem(
                path=("classes", name, "requests", unit),
                value=text(request),
                rule=f"a request is at most its limit ({text(limit)})",
                fix=f"lower the request to {text(limit)} or less, or raise limits.{unit}",
            )


def _runtime(name: str, agent: AgentClass) -> Iterator[Problem]:
    known = [r.name for r in RUNTIMES.values() if r.tier == agent.tier]
    if agent.runtime_name not in known:
        yield Problem(
            path=("classes", name, "runtime"),
            value=agent.runtime,
            rule=f"a class uses a runtime of its tier ({agent.tier})",
            fix=f"use one of {', '.join(known)}, or leave it out",
        )
    elif agent.memory_overcommit > 1 and not agent.served_by.static_memory:
        yield Problem(
            path=("classes", name, "memory-overcommit"),
            value=agent.memory_overcommit,
            rule=f"overcommit is for microVMs, whose memory is sized from limits; {agent.tier} "
            "sandboxes overcommit by their request",
            fix="leave it out and lower requests.memory instead",
        )


def _placement(name: str, agent: AgentClass, pools: Mapping[str, NodePool]) -> Iterator[Problem]:
    serving = {n: p for n, p in pools.items() if agent.runtime_name in p.served_runtimes}
    if not serving:
        yield Problem(
            path=("classes", name, "tier"),
            value=str(agent.tier),
            rule=f"no pool serves the runtime {agent.runtime_name}",
            fix=f"add a pool with tier {agent.tier} (and this runtime), or choose another tier",
        )
        return
    most = max(pool.processes for pool in serving.values())
    least = min(pool.processes for pool in serving.values())
    if agent.processes > least:
        yield Problem(
            path=("classes", name, "processes"),
            value=agent.processes,
            rule="a class gets at most the process limit of every pool that serves it "
            f"({', '.join(f'{n}: {p.processes}' for n, p in serving.items())})",
            fix=f"lower it to {least}" + (f", or raise the pool's limit of {most}" if most else ""),
        )
    yield from _room(name, agent, serving)


def _room(name: str, agent: AgentClass, serving: Mapping[str, NodePool]) -> Iterator[Problem]:
    runtime = agent.served_by
    for key, need, attribute, text in (
        ("limits.cpu", agent.requests.cpu + runtime.overhead_cpu, "cpu", cpu_text),
        ("limits.memory", agent.requested_memory + runtime.overhead_memory, "memory", bytes_text),
        ("disk", agent.disk, "disk", bytes_text),
    ):
        room = max(getattr(pool, attribute) for pool in serving.values())
        if need > room:
            yield Problem(
                path=("classes", name, *key.split(".")),
                value=text(need),
                rule=f"one sandbox with its overhead ({text(need)}) fits on a node of its pool "
                f"({text(room)})",
                fix=f"lower the class's {key}, or use larger nodes in {', '.join(serving)}",
            )


def _tenant(name: str, tenant: Tenant, classes: Mapping[str, AgentClass]) -> Iterator[Problem]:
    for agent in tenant.agents:
        if agent not in classes:
            yield Problem(
                path=("tenants", name, "agents", agent),
                value=agent,
                rule="a tenant's agents are of classes that the stack declares",
                fix=f"use one of {', '.join(classes)}, or declare classes.{agent}",
            )
        elif classes[agent].tier.strength < tenant.tier.strength:
            yield Problem(
                path=("tenants", name, "agents", agent),
                value=str(classes[agent].tier),
                rule=f"its agents run on its tier ({tenant.tier}) or a stronger one",
                fix=f"use a class on {', '.join(_from(tenant.tier))}, or lower the tenant's tier",
            )
    if tenant.volumes.count == 0 and "storage" in tenant.volumes.model_fields_set:
        yield Problem(
            path=("tenants", name, "volumes", "storage"),
            value=bytes_text(tenant.volumes.storage),
            rule="storage without a volume count can't be claimed",
            fix="set volumes.count, or leave storage out",
        )


def _from(tier: Tier) -> list[str]:
    return [str(t) for t in Tier if t.strength >= tier.strength]
