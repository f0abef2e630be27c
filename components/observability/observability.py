"""Observability on a cluster: what measures, keeps, judges and shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.charts import PinnedChart
from components.children import Children
from components.documents import Document
from components.observability.place import ObservabilityPlace
from components.tenancy.namespace import platform_namespace_document
from corral.settings.observability import NAMESPACE


@dataclass(frozen=True, kw_only=True)
class PlacedChart:
    """One chart, where and how it is installed."""

    name: str
    """Its logical name, a part of its URN."""
    pin: PinnedChart
    values: dict[str, Any] = field(default_factory=dict)
    namespace: str = NAMESPACE


Documents = Callable[[ObservabilityPlace], list[Document]]
Charts = Callable[[ObservabilityPlace], list[PlacedChart]]

BEFORE: Sequence[Documents] = ()
"""What must stand before anything runs: namespaces, policies, Secrets and rights."""

CHARTS: Sequence[Charts] = ()
"""What is installed from charts: they bring the kinds of what comes after."""

AFTER: Sequence[Documents] = ()
"""Monitors, rules, dashboards, the exporter: one function of the place each."""

_IMMUTABLE = {
    "Deployment": ["spec.selector"],
    "DaemonSet": ["spec.selector"],
    "StatefulSet": ["spec.selector", "spec.volumeClaimTemplates"],
    "RoleBinding": ["roleRef"],
    "ClusterRoleBinding": ["roleRef"],
    "StorageClass": ["provisioner", "parameters", "volumeBindingMode", "reclaimPolicy"],
    "Job": ["spec.template"],
}


@dataclass(frozen=True, kw_only=True)
class ObservabilityArgs:
    """The place, and what must stand before: the cluster's network and its add-ons."""

    place: ObservabilityPlace
    after: Sequence[pulumi.Resource] = ()


class Observability(pulumi.ComponentResource):
    """Everything that the platform and its sandboxes are observed by."""

    def __init__(
        self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:observability:Observability", name, None, opts)
        self._children = Children(parent=self)
        place = args.place
        namespace = self._children.add(
            NAMESPACE, platform_namespace_document(NAMESPACE), depends_on=args.after
        )
        before = self._all(BEFORE, place, [namespace, *args.after])
        charts = [
            self._children.chart(
                chart.name,
                chart.pin,
                namespace=chart.namespace,
                values=chart.values,
                source=place.chart_source,
                depends_on=[namespace, *before],
            )
            for each in CHARTS
            for chart in each(place)
        ]
        # PrometheusRule and its like are kinds that the chart brings.
        self._all(AFTER, place, [namespace, *before, *charts])
        self.register_outputs({"namespace": NAMESPACE})

    def _all(
        self,
        functions: Sequence[Documents],
        place: ObservabilityPlace,
        after: Sequence[pulumi.Resource],
    ) -> list[pulumi.Resource]:
        return [
            self._children.add(
                _logical_name(document),
                document,
                depends_on=after,
                # Kubernetes changes none of these in place.
                replaced_by=_IMMUTABLE.get(document["kind"], ()),
            )
            for function in functions
            for document in function(place)
        ]


def _logical_name(document: Document) -> str:
    """`configmap/corral-fleet`; with its namespace where that is another than ours."""
    kind, metadata = document["kind"].lower(), document["metadata"]
    where = metadata.get("namespace", NAMESPACE)
    name = metadata["name"] if where == NAMESPACE else f"{where}/{metadata['name']}"
    return f"{kind}/{name}"
