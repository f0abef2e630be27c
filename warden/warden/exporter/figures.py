"""What is told: every metric of the exporter, from what is known at the moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from warden.egress.parts import SHARED
from warden.exporter import kept
from warden.exporter.agents import UNKNOWN, Agent, Agents
from warden.exporter.asking import RESULTS, Asking
from warden.exporter.cluster import Cluster
from warden.exporter.exposition import Sample, labels, metric
from warden.exporter.table import OTHER, AgentClass, Table

MOST_SANDBOXES = 20_000
"""With series of their own; those beyond are in their tenants' figures alone."""
MOST_POOLS = 20
"""Warm pools of one tenant with series of their own; those beyond are one, called other."""
PENDING, SUSPENDED = "pending", "suspended"
STATES = ("busy", "safe", "idle", UNKNOWN, PENDING, SUSPENDED)

GAUGE, COUNTER = "gauge", "counter"


class Told(NamedTuple):
    """A sandbox, with its labels put together."""

    labels: str
    pod: kept.Pod
    of: AgentClass | None
    agent: Agent | None


class Figures:
    """Of one cluster."""

    def __init__(self, cluster: Cluster, agents: Agents, asking: Asking, table: Table) -> None:
        self._cluster = cluster
        self._agents = agents
        self._asking = asking
        self._table = table

    def text(self, now: float) -> Iterator[bytes]:
        """All of it, in pieces. What a part that never answered would say is left out."""
        everybody = list(self._cluster.pods.items.values())
        if self._cluster.ready:
            told = [self._told(pod, now) for pod in islice(everybody, MOST_SANDBOXES)]
            yield from self._sandboxes(told, now)
            yield from self._tenants(everybody, now)
        yield from self._supply(now)
        yield from self._rest(max(0, len(everybody) - MOST_SANDBOXES))

    def _told(self, pod: kept.Pod, now: float) -> Told:
        text = labels(
            namespace=pod.namespace,
            pod=pod.name,
            tenant=self._cluster.tenant_of(pod.namespace),
            agent_class=self._table.agent_class(pod.agent_class),
        )
        of = self._table.classes.get(pod.agent_class)
        return Told(text, pod, of, self._agents.agent(pod.uid, now))

    def _sandboxes(self, told: list[Told], now: float) -> Iterator[bytes]:
        yield from metric(
            "corral_sandbox_age_seconds",
            GAUGE,
            "Since it was made.",
            ((each.labels, max(0.0, now - each.pod.created)) for each in told),
        )
        yield from metric(
            "corral_sandbox_age_limit_seconds",
            GAUGE,
            "The most that its class lets it live.",
            ((each.labels, each.of.max_age) for each in told if each.of),
        )
        yield from metric(
            "corral_sandbox_idle_seconds",
            GAUGE,
            "Since its agent says that it has no work; 0 while it works.",
            _idle(told, now),
        )
        yield from metric(
            "corral_sandbox_cost_usd_per_hour",
            GAUGE,
            "Its share of a node's price, an estimate by what its class requests.",
            (
                (each.labels, cost)
                for each in told
                if (cost := _cost(each.pod, each.of)) is not None
            ),
        )
        yield from metric(
            "corral_sandbox_quarantined",
            GAUGE,
            "1 if it is in quarantine, by itself or with its tenant.",
            ((each.labels, float(self._cluster.quarantined(each.pod))) for each in told),
        )
        yield from metric(
            "corral_sandbox_growth_bytes_per_hour",
            GAUGE,
            "Rise of the least memory that its agent's processes held.",
            (
                (each.labels, growth)
                for each in told
                if each.agent and (growth := each.agent.growth()) is not None
            ),
        )
        yield from metric(
            "corral_sandbox_leak_suspect",
            GAUGE,
            "1 if an agent's process rose through a whole window by more than its class allows.",
            (
                (each.labels, float(each.agent.suspect(each.of.leak)))
                for each in told
                if each.agent and each.of
            ),
        )

    def _tenants(self, everybody: list[kept.Pod], now: float) -> Iterator[bytes]:
        counts: Counter[tuple[str, str, str]] = Counter()
        for tenant, classes in self._table.tenants.items():
            for agent_class in classes:
                counts.update({(tenant, agent_class, state): 0 for state in STATES})
        costs = dict.fromkeys(self._table.tenants, 0.0) if self._priced else {}
        for pod in everybody:
            tenant = self._cluster.tenant_of(pod.namespace)
            counts[tenant, self._table.agent_class(pod.agent_class), self._state(pod, now)] += 1
            cost = _cost(pod, self._table.classes.get(pod.agent_class))
            if cost is not None:
                costs[tenant] = costs.get(tenant, 0.0) + cost
        for each in self._cluster.suspended.items.values():
            tenant = self._cluster.tenant_of(each.namespace)
            counts[tenant, self._table.agent_class(each.agent_class), SUSPENDED] += 1
        yield from metric(
            "corral_tenant_sandboxes",
            GAUGE,
            "Sandboxes, by what their agents say that they do.",
            (
                (labels(tenant=tenant, agent_class=agent_class, state=state), count)
                for (tenant, agent_class, state), count in counts.items()
            ),
        )
        yield from metric(
            "corral_tenant_cost_usd_per_hour",
            GAUGE,
            "Its sandboxes' shares of nodes' prices together, an estimate.",
            _by_tenant(costs),
        )

    @property
    def _priced(self) -> bool:
        return any(each.cost is not None for each in self._table.classes.values())

    def _state(self, pod: kept.Pod, now: float) -> str:
        if not pod.running:
            return PENDING
        agent = self._agents.agent(pod.uid, now)
        return agent.state.phase if agent else UNKNOWN

    def _supply(self, now: float) -> Iterator[bytes]:
        """What waits for sandboxes, and what is ready for it; allowlists."""
        cluster = self._cluster
        if cluster.claims.heard is not None:
            waiting = dict.fromkeys(self._table.tenants, 0)
            oldest = dict.fromkeys(self._table.tenants, 0.0)
            for claim in cluster.claims.items.values():
                tenant = cluster.tenant_of(claim.namespace)
                waiting[tenant] = waiting.get(tenant, 0) + 1
                oldest[tenant] = max(oldest.get(tenant, 0.0), now - claim.since)
            yield from metric(
                "corral_tenant_queue_length",
                GAUGE,
                "Claims that have no sandbox yet.",
                _by_tenant(waiting),
            )
            yield from metric(
                "corral_tenant_queue_oldest_seconds",
                GAUGE,
                "How long the oldest of them waits.",
                _by_tenant(oldest),
            )
        pools = self._pools()
        yield from metric(
            "corral_warm_pool_desired",
            GAUGE,
            "Sandboxes that it is to hold.",
            ((told, float(desired)) for told, (desired, _) in pools.items()),
        )
        yield from metric(
            "corral_warm_pool_ready",
            GAUGE,
            "Sandboxes of it that are ready.",
            ((told, float(ready)) for told, (_, ready) in pools.items()),
        )
        entries: Counter[str] = Counter()
        ends: dict[str, float] = {}
        for part in cluster.parts.items.values():
            if part.owner == SHARED:
                ends |= {name: at for name, at in part.ends.items() if self._certificate(name)}
            elif part.owner in self._table.tenants:
                entries[part.owner] = part.entries
        yield from metric(
            "corral_tenant_allowlist_entries",
            GAUGE,
            "Hosts with ports, and rules of inspected ones, that its gateway lets through now.",
            _by_tenant(entries),
        )
        yield from metric(
            "corral_certificate_expiry_timestamp_seconds",
            GAUGE,
            "When what is in a Secret of the egress ends, the first of several.",
            ((labels(name=name), at) for name, at in ends.items()),
        )

    def _certificate(self, name: str) -> bool:
        """Whether it is the control plane's own, or a tenant's that the platform knows."""
        tenant = name.removeprefix("egress-ca-").removeprefix("egress-hosts-")
        return name.startswith("egress-control-") or tenant in self._table.tenants

    def _pools(self) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        named: Counter[str] = Counter()
        for pool in sorted(self._cluster.warm_pools.items.values()):
            tenant = self._cluster.tenant_of(pool.namespace)
            named[tenant] += 1
            own = tenant != OTHER and named[tenant] <= MOST_POOLS
            told = labels(tenant=tenant, pool=pool.name if own else OTHER)
            desired, ready = found.get(told, (0, 0))
            found[told] = (desired + pool.desired, ready + pool.ready)
        return found

    def _rest(self, left_out: int) -> Iterator[bytes]:
        heard = self._cluster.heard()
        responses = self._cluster.responses
        known = {(t, level): 0 for t in self._table.tenants for level in kept.LEVELS}
        if "responses" in heard:
            yield from metric(
                "corral_responses_total",
                COUNTER,
                "Responses that were carried out, since the exporter started.",
                (
                    (labels(tenant=tenant, level=level), count)
                    for (tenant, level), count in {**known, **responses}.items()
                ),
            )
        if self._asking.heard is not None:
            heard = {**heard, "agents": self._asking.heard}
        yield from metric(
            "corral_exporter_last_success_timestamp_seconds",
            GAUGE,
            "When each part of what is told was last known to be so.",
            ((labels(part=part), at) for part, at in heard.items()),
        )
        yield from metric(
            "corral_exporter_agent_answers_total",
            COUNTER,
            "Questions to agents, by what came of them.",
            ((labels(result=each), float(self._asking.results[each])) for each in RESULTS),
        )
        yield from metric(
            "corral_exporter_sandboxes_left_out",
            GAUGE,
            f"Sandboxes beyond {MOST_SANDBOXES}, which have no series of their own.",
            [("", float(left_out))],
        )


def _idle(told: Iterable[Told], now: float) -> Iterator[Sample]:
    for each in told:
        if each.agent is None or each.agent.state.phase == UNKNOWN:
            continue
        state = each.agent.state
        idle = state.seconds + now - state.at if state.phase == "idle" else 0.0
        # No agent is idle for longer than its pod is there.
        yield each.labels, min(idle, max(0.0, now - each.pod.created))


def _cost(pod: kept.Pod, of: AgentClass | None) -> float | None:
    if of is None or of.cost is None:
        return None
    return of.cost if pod.placed else 0.0


def _by_tenant(values: Mapping[str, float]) -> Iterator[Sample]:
    return ((labels(tenant=tenant), value) for tenant, value in values.items())
