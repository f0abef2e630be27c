"""Observability on a cluster: what measures, keeps, judges and shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components.children import Children
from components.documents import Document
from components.observability.dashboards.dashboards import dashboard_documents
from components.observability.exporter.documents import exporter_documents
from components.observability.logs.documents import logs_documents
from components.observability.place import ObservabilityPlace
from components.observability.placed_chart import PlacedChart
from components.observability.rules.rules import rule_documents
from components.observability.runtime_security.falco import (
    falco_documents,
    runtime_security_charts,
)
from components.observability.runtime_security.reader_pods import reader_documents
from components.observability.runtime_security.sidekick import sidekick_documents
from components.observability.stack.charts import exporter_charts, stack_charts
from components.observability.stack.kata_monitor import kata_monitor_documents
from components.observability.stack.monitors import monitor_documents
from components.observability.stack.policies import policy_documents
from components.observability.stack.rights import namespace_documents, rights_documents
from components.observability.stack.secrets import secret_documents
from components.observability.stack.storage import storage_documents
from components.tenancy.namespace import platform_namespace_document
from corral.settings.observability import NAMESPACE

Documents = Callable[[ObservabilityPlace], list[Document]]
Charts = Callable[[ObservabilityPlace], list[PlacedChart]]

NAMESPACES: Sequence[Documents] = (namespace_documents,)
"""Namespaces besides our own."""

BEFORE: Sequence[Documents] = (policy_documents, rights_documents, storage_documents)
"""What must stand before anything runs: policies, rights, classes of volumes."""

STACK: Sequence[Charts] = (stack_charts,)
"""What brings the kinds of monitors and rules."""

CHARTS: Sequence[Charts] = (exporter_charts, runtime_security_charts)
"""What else is installed from charts."""

AFTER: Sequence[Documents] = (
    rule_documents,
    dashboard_documents,
    kata_monitor_documents,
    monitor_documents,
    exporter_documents,
    falco_documents,
    reader_documents,
    sidekick_documents,
    logs_documents,
)
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
    """The place, and what must stand before: other parts' namespaces, the cluster's network and its
    add-ons."""

    place: ObservabilityPlace
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Stack secrets by name: all that the settings name."""
    definitions: pulumi.ProviderResource | None = None
    """The provider of definitions that others share."""
    after: Sequence[pulumi.Resource] = ()


class Observability(pulumi.ComponentResource):
    """Everything that the platform and its sandboxes are observed by."""

    def __init__(
        self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:observability:Observability", name, None, opts)
        self._children, self._definitions = Children(parent=self), args.definitions
        place = args.place
        namespace = self._children.add(
            NAMESPACE, platform_namespace_document(NAMESPACE), depends_on=args.after
        )
        namespaces = [namespace, *self._documents(NAMESPACES, place, args.after)]
        first = [*namespaces, *args.after]
        before = [
            *namespaces,
            *self._documents(BEFORE, place, first),
            *self._secrets(args, namespaces),
        ]
        stack = self._charts(STACK, place, before)
        # PrometheusRule and its like are kinds that it brings.
        others = self._charts(CHARTS, place, [*before, *stack])
        self._documents(AFTER, place, [*args.after, *before, *stack, *others])
        self.register_outputs({"namespace": NAMESPACE})

    def _charts(
        self,
        functions: Sequence[Charts],
        place: ObservabilityPlace,
        after: Sequence[pulumi.Resource],
    ) -> list[pulumi.Resource]:
        return [
            self._children.chart(
                chart.name,
                chart.pin,
                namespace=chart.namespace,
                values=chart.values,
                source=place.chart_source,
                definitions=self._definitions,
                depends_on=after,
            )
            for function in functions
            for chart in function(place)
        ]

    def _secrets(
        self, args: ObservabilityArgs, after: Sequence[pulumi.Resource]
    ) -> list[pulumi.Resource]:
        """What receivers and remotes are let in with, as the Secrets that their servers mount."""
        return [
            self._children.add(_logical_name(document), document, depends_on=after)
            for document in secret_documents(args.place.observability, args.secrets)
        ]

    def _documents(
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
