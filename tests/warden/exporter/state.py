"""A cluster in memory: mirrors that nobody keeps up, and what the exporter says of them."""

from __future__ import annotations

from typing import Any

from kubernetes_asyncio import client
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from warden.exporter import kept
from warden.exporter.agents import Agents
from warden.exporter.asking import Asking
from warden.exporter.cluster import Cluster
from warden.exporter.figures import Figures
from warden.exporter.table import Table, parse_table

NOW = 1_800_000_000.0
CREATED = "2027-01-15T07:00:00Z"
"""An hour before."""

TABLE = parse_table(
    '{"classes":{"worker":{"max-age-seconds":86400,"usd-per-hour":0.25,"leak-per-hour":0.05,'
    '"leak-hours":2},"planner":{"max-age-seconds":3600,"usd-per-hour":null,"leak-per-hour":0.05,'
    '"leak-hours":2}},"tenants":{"acme":["worker","planner"],"zeta":["worker"]}}'
)


def pod(name: str, namespace: str = "agents-acme", **changed: Any) -> dict[str, Any]:
    """A pod as the API server has it."""
    meta = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-of-{namespace}-{name}",
        "creationTimestamp": CREATED,
        "labels": {
            kept.CLASS_LABEL: changed.get("agent_class", "worker"),
            **changed.get("labels", {}),
        },
    }
    status = {"phase": changed.get("phase", "Running"), "podIP": changed.get("address", "10.0.0.1")}
    return {"metadata": meta, "spec": {"nodeName": changed.get("node", "n1")}, "status": status}


class World:
    """What the exporter knows."""

    def __init__(self, table: Table = TABLE) -> None:
        api = client.ApiClient.__new__(client.ApiClient)
        self.cluster = Cluster(api, table, clock=lambda: NOW)
        for mirror in (self.cluster.pods, self.cluster.tenants):
            mirror.heard = NOW
        self.agents = Agents(fresh=180.0)
        self.asking = Asking(self.cluster.reachable, self.agents, table, clock=lambda: NOW)
        self.figures = Figures(self.cluster, self.agents, self.asking, table)

    def put(self, *documents: dict[str, Any]) -> None:
        """Pods are there."""
        for document in documents:
            found = kept.pod(document)
            if found is not None:
                self.cluster.pods.items[f"{found.namespace}/{found.name}"] = found

    def text(self, now: float = NOW) -> str:
        """What it says."""
        return b"".join(self.figures.text(now)).decode()

    def said(self, now: float = NOW) -> dict[str, Metric]:
        """The same, as Prometheus' own reader has it."""
        return parsed(self.text(now))


def parsed(text: str) -> dict[str, Metric]:
    """Families by name, `_total` and all."""
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: family
        for family in text_string_to_metric_families(text)
    }


def values(family: Metric, *labels: str) -> dict[tuple[str, ...], float]:
    """Values by these labels."""
    return {
        tuple(sample.labels[label] for label in labels): sample.value for sample in family.samples
    }
