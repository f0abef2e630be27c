"""What must hold between what a stack is observed by, its nodes, tenants and receivers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from corral.settings.alerting import Alerts, Receiver, Route, WebhookReceiver
from corral.settings.cluster import Cluster
from corral.settings.observability import SCRAPE_SECONDS, Observability, Prometheus
from corral.settings.pools import AnyPool
from corral.settings.problems import MISSING, Problem, Said, nearest
from corral.settings.quantities import bytes_text, parse_bytes
from corral.settings.tenants import NAMESPACE_PREFIX, Tenant

GIB = parse_bytes("1Gi")
STORAGE_BOUNDS = (10 * GIB, parse_bytes("16Ti"))
MEMORY_BOUNDS = (GIB, 256 * GIB)
RESERVED_RECEIVERS = ("nobody", "heartbeat-of-alerts")

SERIES_PER_SANDBOX = 150
SERIES_PER_NODE = 4_000
SERIES_OF_THE_PLATFORM = 60_000
"""About as many as the kubelet, kube-state-metrics, node-exporter and our own exporters have."""
BYTES_PER_SAMPLE = 2
"""https://prometheus.io/docs/prometheus/latest/storage/: one to two."""
BYTES_PER_SERIES = 4 * 1024
"""Of memory, with its labels and what isn't in a block yet; about as much again for queries."""

_OWN = ("observability",)
_ROOM = 0.8
"""Of a node's memory: the rest is for what every node runs."""


def observability_contradictions(
    *,
    observability: Observability | None,
    cluster: Cluster,
    pools: Mapping[str, AnyPool],
    tenants: Mapping[str, Tenant],
) -> list[Problem]:
    """Every contradiction between them; empty when they agree."""
    if observability is None:
        return []
    found = [*_prometheus(observability.prometheus, cluster, pools, tenants)]
    if observability.grafana is not None:
        found += [
            Problem(
                path=(*_OWN, "grafana", "namespaces", position),
                value=Said(name),
                rule="a namespace of the platform's own people: sandboxes don't see dashboards",
                fix="name the namespace of the ingress that people come by, or remove it",
            )
            for position, name in enumerate(observability.grafana.namespaces)
            if name.startswith(NAMESPACE_PREFIX)
        ]
    if observability.alerts is not None:
        found += _alerts(observability.alerts, tenants)
    return found


def _prometheus(
    prometheus: Prometheus,
    cluster: Cluster,
    pools: Mapping[str, AnyPool],
    tenants: Mapping[str, Tenant],
) -> Iterator[Problem]:
    own = (*_OWN, "prometheus")
    for key, value, (low, high) in (
        ("storage", prometheus.storage, STORAGE_BOUNDS),
        ("memory", prometheus.memory, MEMORY_BOUNDS),
    ):
        if not low <= value <= high:
            yield Problem(
                path=(*own, key),
                value=Said(bytes_text(value)),
                rule=f"{bytes_text(low)} to {bytes_text(high)}",
                fix=f"choose {bytes_text(low if value < low else high)}, or another value of that "
                "range",
            )
    if cluster.kind == "existing" and prometheus.storage_class is None:
        yield Problem(
            path=(*own, "storage-class"),
            value=MISSING,
            rule="required on a cluster that is there already: corral doesn't guess which of its "
            "volumes are encrypted",
            fix="write the name of one of its StorageClasses (kubectl get storageclass)",
        )
    yield from _remotes(prometheus)
    system = {name: pool for name, pool in pools.items() if pool.tier is None}
    nodes = sum(pool.nodes for pool in system.values())
    if system and prometheus.replicas > nodes:
        yield Problem(
            path=(*own, "replicas"),
            value=prometheus.replicas,
            rule=f"at most the platform's own nodes, each on one of its own: {nodes}",
            fix=f"write {nodes}, or give {', '.join(system)} more nodes",
        )
    largest = max((pool.memory for pool in system.values()), default=0)
    if system and prometheus.memory > largest * _ROOM:
        yield Problem(
            path=(*own, "memory"),
            value=Said(bytes_text(prometheus.memory)),
            rule=f"at most {_ROOM:.0%} of a node's of the platform's own, which have "
            f"{bytes_text(largest)}: else it never starts",
            fix=f"lower it, or use larger nodes in {', '.join(system)}",
        )
    yield from _room(prometheus, pools, tenants)


def _remotes(prometheus: Prometheus) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name, remote in prometheus.remote_write.items():
        own = (*_OWN, "prometheus", "remote-write", name)
        if remote.username is not None and remote.secret is None:
            yield Problem(
                path=(*own, "secret"),
                value=MISSING,
                rule="required with username: it names the password",
                fix="name a stack secret, or remove username",
            )
        if remote.url in seen:
            yield Problem(
                path=(*own, "url"),
                value=remote.url,
                rule=f"another address than {seen[remote.url]} has: each sample would come twice",
                fix="remove one of the two",
            )
        seen.setdefault(remote.url, name)


def _room(
    prometheus: Prometheus, pools: Mapping[str, AnyPool], tenants: Mapping[str, Tenant]
) -> Iterator[Problem]:
    """That what is asked for is there: history that ends before its time is found out too late."""
    most = sum(sum(tenant.agents.values()) for tenant in tenants.values())
    nodes = sum(pool.nodes for pool in pools.values())
    series = most_series(most, nodes)
    memory = series * BYTES_PER_SERIES
    if MEMORY_BOUNDS[0] <= prometheus.memory < memory:
        yield Problem(
            path=(*_OWN, "prometheus", "memory"),
            value=Said(bytes_text(prometheus.memory)),
            rule=f"room for the {series:,} series of {most} sandboxes and {nodes} nodes, at most: "
            f"about {_gibibytes(memory)}",
            fix=f"write {_gibibytes(memory)} or more",
        )
    day = series * 86_400 // SCRAPE_SECONDS * BYTES_PER_SAMPLE
    storage = day * prometheus.retention_days
    if STORAGE_BOUNDS[0] <= prometheus.storage < storage:
        yield Problem(
            path=(*_OWN, "prometheus", "storage"),
            value=Said(bytes_text(prometheus.storage)),
            rule=f"room for {prometheus.retention_days} days of {series:,} series ({most} "
            f"sandboxes and {nodes} nodes, at most): about {_gibibytes(storage)}",
            fix=f"write {_gibibytes(storage)} or more, or retention-days: "
            f"{max(1, prometheus.storage // day)}",
        )


def most_series(sandboxes: int, nodes: int) -> int:
    """About how many series there are at most, of that many."""
    return SERIES_OF_THE_PLATFORM + sandboxes * SERIES_PER_SANDBOX + nodes * SERIES_PER_NODE


def _gibibytes(size: int) -> str:
    return bytes_text(-(-size // GIB) * GIB)


def _alerts(alerts: Alerts, tenants: Mapping[str, Tenant]) -> Iterator[Problem]:
    own = (*_OWN, "alerts")
    for name in alerts.receivers:
        if name in RESERVED_RECEIVERS:
            yield Problem(
                path=(*own, "receivers", name),
                value=Said(name),
                rule=f"a name that corral doesn't use itself ({', '.join(RESERVED_RECEIVERS)})",
                fix="rename the receiver",
            )
    named: list[tuple[tuple[str | int, ...], str]] = [((*own, "default"), alerts.default)]
    for position, route in enumerate(alerts.routes):
        named.append(((*own, "routes", position, "receiver"), route.receiver))
    if alerts.heartbeat is not None:
        named.append(((*own, "heartbeat"), alerts.heartbeat))
    for path, name in named:
        if name not in alerts.receivers:
            meant = nearest(name, alerts.receivers)
            yield Problem(
                path=path,
                value=Said(name),
                rule=f"a receiver that alerts.receivers has: {', '.join(alerts.receivers)}",
                fix=f"did you mean {meant}?" if meant else f"add receivers.{name}",
            )
    told = {name for _, name in named}
    for name, receiver in alerts.receivers.items():
        if name not in told:
            yield Problem(
                path=(*own, "receivers", name),
                value=Said(receiver.kind),
                rule="a receiver that something is told to: no route names it, nor default, nor "
                "heartbeat",
                fix="give it a route, or remove it",
            )
        yield from _hook(name, receiver)
    if alerts.heartbeat in alerts.receivers and not isinstance(
        alerts.receivers[alerts.heartbeat], WebhookReceiver
    ):
        yield Problem(
            path=(*own, "heartbeat"),
            value=Said(f"{alerts.heartbeat}, of kind {alerts.receivers[alerts.heartbeat].kind}"),
            rule="a webhook: it hears every minute that all is well, and acts when it doesn't",
            fix="name a receiver of kind webhook, of a service that watches for silence",
        )
    yield from _routes(alerts.routes, tenants)


def _hook(name: str, receiver: Receiver) -> Iterator[Problem]:
    if not isinstance(receiver, WebhookReceiver):
        return
    url = receiver.url
    if (url is None) == (receiver.address_secret is None):
        yield Problem(
            path=(*_OWN, "alerts", "receivers", name, "url"),
            value=MISSING if url is None else url,
            rule="either url or url-secret, and not both",
            fix="write url, or url-secret where whoever knows the address may post",
        )
    address = urlsplit(url or "")
    if address.scheme == "http" and f".{NAMESPACE_PREFIX}" in f".{address.hostname}":
        yield Problem(
            path=(*_OWN, "alerts", "receivers", name, "url"),
            value=url,
            rule="no tenant's Service: alerts speak of all tenants",
            fix="name a Service of the platform's own, or an address beyond the cluster",
        )


def _routes(routes: tuple[Route, ...], tenants: Mapping[str, Tenant]) -> Iterator[Problem]:
    for position, route in enumerate(routes):
        own = (*_OWN, "alerts", "routes", position)
        if not route.severity and not route.tenants:
            yield Problem(
                path=own,
                value=Said("a route of everything"),
                rule="severity, tenants or both: what no route takes goes to default",
                fix="remove it and name its receiver as default, or say what it is for",
            )
            continue
        for at, tenant in enumerate(route.tenants):
            if tenant not in tenants:
                meant = nearest(tenant, tenants)
                yield Problem(
                    path=(*own, "tenants", at),
                    value=tenant,
                    rule=f"a tenant that the stack has: {', '.join(tenants) or 'it has none'}",
                    fix=f"did you mean {meant}?" if meant else "remove it, or declare the tenant",
                )
        for key, values in (("severity", route.severity), ("tenants", route.tenants)):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                yield Problem(
                    path=(*own, key),
                    value=Said(", ".join(values)),
                    rule="each once",
                    fix=f"remove the second {', '.join(twice)}",
                )
        for earlier in range(position):
            if _takes_all(routes[earlier], route):
                yield Problem(
                    path=own,
                    value=Said(f"a route to {route.receiver}"),
                    rule=f"one that something comes to: routes[{earlier}] takes all of it first",
                    fix="put it before that one, or write continue: true there",
                )
                break


def _takes_all(earlier: Route, later: Route) -> bool:
    """Whether nothing that the later one is for gets past the earlier one."""
    if earlier.also_next:
        return False
    return _covers(earlier.severity, later.severity) and _covers(earlier.tenants, later.tenants)


def _covers(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    return not wide or (bool(narrow) and set(narrow) <= set(wide))
