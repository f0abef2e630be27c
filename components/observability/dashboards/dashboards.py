"""All dashboards of a stack, and the ConfigMaps that Grafana takes them from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from components.documents import Document, metadata
from components.observability.dashboards.cost import cost
from components.observability.dashboards.egress import egress
from components.observability.dashboards.fleet import fleet
from components.observability.dashboards.incidents import incidents
from components.observability.dashboards.leaks import leaks
from components.observability.dashboards.panel import Dashboard
from components.observability.dashboards.sandbox import one_sandbox
from components.observability.dashboards.tenants import tenants
from components.observability.dashboards.tiers import tiers
from components.observability.place import ObservabilityPlace
from components.observability.stack.names import DASHBOARD_LABEL
from corral.settings.observability import NAMESPACE

_ALWAYS: Sequence[Callable[[ObservabilityPlace], Dashboard]] = (
    *(fleet, incidents, one_sandbox, tenants),
    *(tiers, leaks, cost),
)

MOST_BYTES = 256 * 1024
"""Of one dashboard. A ConfigMap may hold four times as much; whoever applies it by kubectl writes
all of it into an annotation as well, and those end here."""


def dashboards(place: ObservabilityPlace) -> list[Dashboard]:
    """Those that the stack has something for, as they stand in the list of links."""
    found = [make(place) for make in _ALWAYS]
    if place.egress is not None:
        found.append(egress(place))
    return found


def dashboard_documents(place: ObservabilityPlace) -> list[Document]:
    """One ConfigMap each; none without a Grafana."""
    if place.observability.grafana is None:
        return []
    # Grafana's schema takes longer to import than all dashboards to build.
    from components.observability.dashboards.grafana import dashboard_json  # noqa: PLC0415

    boards = dashboards(place)
    titles = {board.uid: board.title for board in boards}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(
                f"{board.uid}-dashboard", namespace=NAMESPACE, labels={DASHBOARD_LABEL: "1"}
            ),
            "data": {
                f"{board.uid}.json": dashboard_json(board, titles, place.observability.runbooks)
            },
        }
        for board in boards
    ]
