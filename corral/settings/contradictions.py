"""What must hold between settings that are each valid alone.

That all tenants' agents together exceed the pools is no contradiction: their numbers are maxima,
and pools are shared. One tenant that could never have its own maximum is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from corral.settings import capacity
from corral.settings.classes import AgentClass
from corral.settings.pools import AnyPool
from corral.settings.problems import MISSING, Problem, Said, nearest
from corral.settings.quantities import bytes_text, cpu_text, parse_bytes
from corral.settings.refused_runtimes import ARM_CCA
from corral.settings.tenants import RESERVED_TENANTS, Tenant
from corral.settings.tiers import RUNTIMES, Tier

CPU_BOUNDS = (1000, 4000)
MEMORY_BOUNDS = (parse_bytes("1Gi"), parse_bytes("8Gi"))
DISK_BOUNDS = (parse_bytes("5Gi"), parse_bytes("20Gi"))
SCRATCH_BOUNDS = (parse_bytes("1Gi"), DISK_BOUNDS[1])
"""Of disk where work is kept in a workspace."""
WORKSPACE_BOUNDS = (parse_bytes("1Gi"), parse_bytes("200Gi"))

_SHOWN = ("cpu", "memory", "disk", "workspaces")


class ContradictionError(ValueError):
    """All the contradictions found in one stack file."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.rule for problem in problems))
        self.problems = problems


def contradictions(
    *,
    pools: Mapping[str, AnyPool] | None,
    classes: Mapping[str, AgentClass],
    tenants: Mapping[str, Tenant],
    unreadable_classes: Collection[str] = (),
) -> list[Problem]:
    """Every contradiction between the three; empty when they agree.

    Where a part has errors of its own, the rest is judged as far as it can be: `pools` is None if
    one of them couldn't be read, and classes that couldn't be are named.
    """
    found: list[Problem] = []
    for name, pool in (pools or {}).items():
        found.extend(_pool(name, pool))
    nodes = pools if pools and not found else None
    placed: dict[str, AgentClass] = {}
    for name, agent in classes.items():
        problems = [*_bounds(name, agent), *_runtime(name, agent)]
        if not problems and nodes is not None:
            problems = list(_placement(name, agent, nodes))
            if not problems:
                placed[name] = agent
        found.extend(problems)
    for name, tenant in tenants.items():
        found.extend(_tenant(name, tenant, classes, unreadable_classes))
        if nodes is not None and all(agent in placed for agent in tenant.agents):
            found.extend(_maximum(name, tenant, placed, nodes))
    return found


def _pool(name: str, pool: AnyPool) -> Iterator[Problem]:
    known = [r.name for r in RUNTIMES.values() if r.tier == pool.tier]
    for position, runtime in enumerate(pool.runtimes):
        if runtime not in known:
            serves = f"those of tier {pool.tier}" if pool.tier else "none, as it has no tier"
            yield Problem(
                path=("pools", name, "runtimes", position),
                value=runtime,
                rule=f"runtimes that the pool's tier has: {serves}",
                fix=f"use {_or(known)}" if known else f"give it tier: {RUNTIMES[runtime].tier}",
            )
    for runtime in pool.served_runtimes:
        if pool.architecture not in RUNTIMES[runtime].architectures:
            others = [n for n in known if pool.architecture in RUNTIMES[n].architectures]
            yield Problem(
                path=("pools", name, "architecture"),
                value=pool.architecture,
                rule=f"runtime {runtime} runs on {_or(RUNTIMES[runtime].architectures)} only"
                + (f". {ARM_CCA}" if pool.tier == Tier.CONFIDENTIAL else ""),
                fix=f"set runtimes to what runs there: {_or(others)}"
                if others
                else f"use {_or(RUNTIMES[runtime].architectures)}: nothing of tier {pool.tier} "
                f"runs on {pool.architecture}",
            )


def _bounds(name: str, agent: AgentClass) -> Iterator[Problem]:
    own = agent.workspace
    for key, value, (low, high), text in (
        (("limits", "cpu"), agent.limits.cpu, CPU_BOUNDS, cpu_text),
        (("limits", "memory"), agent.limits.memory, MEMORY_BOUNDS, bytes_text),
        (("disk",), agent.disk, SCRATCH_BOUNDS if own else DISK_BOUNDS, bytes_text),
        *([(("workspace", "size"), own.size, WORKSPACE_BOUNDS, bytes_text)] if own else ()),
    ):
        if not low <= value <= high:
            yield Problem(
                path=("classes", name, *key),
                value=Said(text(value)),
                rule=f"{text(low)} to {text(high)} for one sandbox",
                fix=f"choose {text(low if value < low else high)}, or another value of that range",
            )
    for unit, text, (low, high) in (
        ("cpu", cpu_text, CPU_BOUNDS),
        ("memory", bytes_text, MEMORY_BOUNDS),
    ):
        request, limit = getattr(agent.requests, unit), getattr(agent.limits, unit)
        if request > limit and low <= limit <= high:
            yield Problem(
                path=("classes", name, "requests", unit),
                value=Said(text(request)),
                rule=f"at most the limit, {text(limit)}",
                fix=f"lower it to {text(limit)} or less, or raise limits.{unit}",
            )


def _runtime(name: str, agent: AgentClass) -> Iterator[Problem]:
    known = [r.name for r in RUNTIMES.values() if r.tier == agent.tier]
    if agent.runtime_name not in known:
        yield Problem(
            path=("classes", name, "runtime"),
            value=agent.runtime,
            rule=f"a runtime of the class's tier, {agent.tier}: {_or(known)}",
            fix=f"use {_or(known)}, or set tier: {RUNTIMES[agent.runtime_name].tier}",
        )
        return
    if agent.memory_overcommit > 1 and agent.tier != Tier.MICROVM:
        yield Problem(
            path=("classes", name, "memory-overcommit"),
            value=agent.memory_overcommit,
            rule=f"left out on tier {agent.tier}: it divides a microVM's memory limit",
            fix="remove it: encrypted memory can't be shared out twice"
            if agent.served_by.static_memory
            else "remove it, and lower requests.memory instead",
        )
    elif agent.served_by.static_memory and "requests" in agent.model_fields_set:
        yield from _virtual_machine_memory(name, agent)


def _virtual_machine_memory(name: str, agent: AgentClass) -> Iterator[Problem]:
    """Refused rather than ignored: somebody who wrote 2Gi would plan capacity with 2Gi."""
    due = agent.requested_memory
    low, high = MEMORY_BOUNDS
    judged = low <= agent.limits.memory <= high and agent.requests.memory <= agent.limits.memory
    if judged and agent.requests.memory != due:
        can = agent.tier == Tier.MICROVM
        yield Problem(
            path=("classes", name, "requests", "memory"),
            value=Said(bytes_text(agent.requests.memory)),
            rule=f"{bytes_text(due)}: a virtual machine takes its memory limit"
            + (" divided by memory-overcommit" if can else ""),
            fix=f"write {bytes_text(due)}"
            + (", or set memory-overcommit to share memory out more than once" if can else ""),
        )


def _placement(name: str, agent: AgentClass, pools: Mapping[str, AnyPool]) -> Iterator[Problem]:
    able = capacity.serving(agent, pools)
    if not able:
        same_tier = [n for n, pool in pools.items() if pool.tier == agent.tier]
        yield Problem(
            path=("classes", name, "runtime" if agent.runtime else "tier"),
            value=agent.runtime or str(agent.tier),
            rule=f"a pool serves its runtime, {agent.runtime_name}; none does",
            fix=f"add {agent.runtime_name} to the runtimes of {_or(same_tier)}"
            if same_tier
            else f"add a pool with tier: {agent.tier}, or choose another tier",
        )
        return
    low = {n: pool.processes for n, pool in able.items() if pool.processes < agent.processes}
    if low:
        yield Problem(
            path=("classes", name, "processes"),
            value=agent.processes,
            rule="at most the process limit of each pool that it can land on: "
            + ", ".join(f"{n} has {limit}" for n, limit in low.items()),
            fix=f"lower it to {min(low.values())}, or raise processes of {_and(low)}",
        )
    need = capacity.sandbox_room(agent)
    if not any(capacity.on_one_node(need, pool)[0] for pool in able.values()):
        _, part = max(capacity.on_one_node(need, pool) for pool in able.values())
        short = {n: capacity.node_room(pool) for n, pool in able.items()}
        yield Problem(
            path=("classes", name, *_key_of_part(agent, part)),
            value=Said(need.text(part)),
            rule="one sandbox, with its runtime's overhead, fits on a node: it needs "
            + ", ".join(need.text(p) for p in _SHOWN if need[p])
            + "; "
            + "; ".join(
                f"{n} has " + ", ".join(r.text(p) for p in _SHOWN if need[p])
                for n, r in short.items()
            ),
            fix=f"lower {'.'.join(_key_of_part(agent, part))}, or use larger nodes in {_or(able)}",
        )


def _key_of_part(agent: AgentClass, part: str) -> tuple[str, ...]:
    if part == "disk":
        return ("disk",)
    if part == "workspaces":
        return ("workspace", "size")
    return ("limits" if part == "memory" and agent.served_by.static_memory else "requests", part)


def _tenant(
    name: str, tenant: Tenant, classes: Mapping[str, AgentClass], unreadable: Collection[str]
) -> Iterator[Problem]:
    if name in RESERVED_TENANTS:
        yield Problem(
            path=("tenants", name),
            value=name,
            rule=f"a name that corral doesn't use itself ({', '.join(RESERVED_TENANTS)})",
            fix="rename the tenant",
        )
    strong = [n for n, agent in classes.items() if agent.tier.strength >= tenant.tier.strength]
    for agent in tenant.agents:
        if agent not in classes and agent not in unreadable:
            meant = nearest(agent, classes)
            yield Problem(
                path=("tenants", name, "agents", agent),
                value=agent,
                rule=f"a class that the stack declares: {', '.join(classes)}",
                fix=f"did you mean {meant}?" if meant else f"declare classes.{agent}",
            )
        elif agent in classes and agent not in strong:
            yield Problem(
                path=("tenants", name, "agents", agent),
                value=Said(f"a class of tier {classes[agent].tier}"),
                rule=f"a class of the tenant's tier, {tenant.tier}, or a stronger one",
                fix=(f"use {_or(strong)}, or " if strong else "")
                + f"lower the tenant's tier to {classes[agent].tier}",
            )
    if bool(tenant.volumes.count) != bool(tenant.volumes.storage):
        key = "storage" if tenant.volumes.count else "count"
        yield Problem(
            path=("tenants", name, "volumes", key),
            value=0 if key in tenant.volumes.model_fields_set else MISSING,
            rule="volumes take a count and the storage of all of them together",
            fix=f"set volumes.{key}, or leave both out",
        )


def _maximum(
    name: str, tenant: Tenant, classes: Mapping[str, AgentClass], pools: Mapping[str, AnyPool]
) -> Iterator[Problem]:
    """Only what is certain: sums, not how sandboxes of several shapes pack."""
    alone = False
    for agent, count in tenant.agents.items():
        able = capacity.serving(classes[agent], pools)
        need = capacity.sandbox_room(classes[agent])
        each = {n: capacity.on_one_node(need, pool) for n, pool in able.items()}
        most = sum(each[n][0] * pool.nodes for n, pool in able.items())
        if count > most:
            alone = True
            held = ", ".join(
                f"{n} {each[n][0]} on each of {pool.nodes} nodes, by {each[n][1]}"
                for n, pool in able.items()
            )
            yield Problem(
                path=("tenants", name, "agents", agent),
                value=count,
                rule=f"at most the {most} that its pools can hold ({held})",
                fix=f"lower it to {most}, or give {_or(able)} more or larger nodes",
            )
    if not alone:
        yield from _together(name, tenant, classes, pools)


def _together(
    name: str, tenant: Tenant, classes: Mapping[str, AgentClass], pools: Mapping[str, AnyPool]
) -> Iterator[Problem]:
    for runtime in dict.fromkeys(classes[agent].runtime_name for agent in tenant.agents):
        counts = {a: n for a, n in tenant.agents.items() if classes[a].runtime_name == runtime}
        able = capacity.serving(classes[next(iter(counts))], pools)
        need = capacity.total(
            [capacity.sandbox_room(classes[a]).times(n) for a, n in counts.items()]
        )
        room = capacity.total([capacity.node_room(p).times(p.nodes) for p in able.values()])
        short = [part for part in capacity.PARTS if need[part] > room[part]]
        if short:
            yield Problem(
                path=("tenants", name, "agents"),
                value=Said(", ".join(f"{agent}: {count}" for agent, count in counts.items())),
                rule=f"together at most what {_and(able)} can hold: they need "
                + ", ".join(f"{need.text(part)} of {room.text(part)}" for part in short),
                fix=f"lower the numbers, or give {_or(able)} more or larger nodes",
            )


def _or(names: Collection[str]) -> str:
    return " or ".join(names)


def _and(names: Collection[str]) -> str:
    return " and ".join(names)
